//go:build goexperiment.runtimesecret

// Erasure of temporary storage, where the runtime offers it.

package record

import "runtime/secret"

// Erasing runs f and erases the registers and stack it used; what f allocated is erased when it is
// collected. Work on key bytes in this package and in handshake happens inside it.
func Erasing(f func()) { secret.Do(f) }
