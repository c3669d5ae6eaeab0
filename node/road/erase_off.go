// Without erasure by the runtime: not offered by this toolchain or machine.

//go:build !goexperiment.runtimesecret

package road

// do runs f. This build does not erase what f leaves behind.
func do(f func()) { f() }
