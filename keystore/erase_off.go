// Without the runtime's erasure: the same calls, which then erase only what we clear ourselves.

//go:build !goexperiment.runtimesecret

package keystore

// do runs f; nothing that f leaves behind is erased by the runtime in this build.
func do(f func()) { f() }

// ErasureOn reports whether the runtime erases what secret work leaves behind; not in this build.
func ErasureOn() bool { return false }
