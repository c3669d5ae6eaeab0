//go:build goexperiment.runtimesecret

// Work on secrets, whose traces are erased.

package wg

import "runtime/secret"

// do runs f and erases what it leaves in registers, on the stack and on the heap.
func do(f func()) { secret.Do(f) }
