// Erasure of what a node leaves in memory: keys of pairs, names, messages.

//go:build goexperiment.runtimesecret

package road

import "runtime/secret"

// do runs f so that what f leaves in registers and on the stack is zeroed when it returns, and
// what it leaves on the heap when that is collected. Every goroutine of a node runs inside, so
// whatever it copies on the way (books, records, names) goes with it. An allocation inside costs
// half a microsecond more.
func do(f func()) { secret.Do(f) }
