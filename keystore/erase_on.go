// Erasure by the runtime: registers, stacks and freed heap of secret work are zeroed.

//go:build goexperiment.runtimesecret

package keystore

import "runtime/secret"

// do runs f so that what f leaves in registers, on the stack and, once collected, on the heap
// is zeroed. What f must keep it copies into memory that was made outside, or into an arena.
func do(f func()) { secret.Do(f) }

// ErasureOn reports whether the runtime erases what secret work leaves behind: the program was
// built with GOEXPERIMENT=runtimesecret and runs where that works (linux on amd64 or arm64).
func ErasureOn() bool {
	on := false
	secret.Do(func() { on = secret.Enabled() })
	return on
}
