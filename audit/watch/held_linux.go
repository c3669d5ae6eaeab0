// The internet sockets of one process.

package watch

import (
	"slices"
	"strconv"
)

// Held lists the internet sockets that a process holds: of its own network namespace, and those of
// ours that it was given.
func Held(pid int) ([]Socket, error) {
	mine := map[uint64]bool{}
	heldSockets(pid, func(inode uint64) bool { mine[inode] = true; return true })
	var held []Socket
	for _, process := range []string{"self", strconv.Itoa(pid)} {
		all, err := socketsAround(process, nil)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			if mine[s.Inode] && !slices.Contains(held, s) {
				held = append(held, s)
			}
		}
	}
	return held, nil
}
