//go:build unix

// One at a time in a home.

package control

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// exclude waits until nobody else is at work on the sockets of a home. The lock is on the directory
// itself, so that no file is left; the kernel lets go of it when we end, however we end.
func exclude(dir string) (release func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open the home directory: %w", bare(err))
	}
	for {
		switch err = unix.Flock(int(f.Fd()), unix.LOCK_EX); err {
		case nil:
			return func() { _ = f.Close() }, nil
		case unix.EINTR:
		default:
			_ = f.Close()
			return nil, fmt.Errorf("lock the home directory: %w", err)
		}
	}
}
