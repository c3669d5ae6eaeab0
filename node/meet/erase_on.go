// Erasure of secrets, compiled in.

//go:build goexperiment.runtimesecret

package meet

import "runtime/secret"

// do runs f and then wipes the registers, stack and heap that it used.
func do(f func()) { secret.Do(f) }
