// The internet sockets of one process.

package held

import (
	"slices"
	"strconv"
)

// Of lists the internet sockets that a process holds: of its own network namespace, and those of
// ours that it was given.
func Of(pid int) (list []Socket, err error) {
	mine := map[uint64]bool{}
	By(pid, func(inode uint64) bool { mine[inode] = true; return true })
	for _, process := range []string{"self", strconv.Itoa(pid)} {
		all, err := socketsAround(process, nil)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			if mine[s.Inode] && !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list, nil
}
