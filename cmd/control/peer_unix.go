//go:build unix

// The socket's mode, and who is at its other end.

package control

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// privately runs f so that what it makes has mode 0600 from its first moment.
func privately(f func()) {
	old := unix.Umask(0o177)
	defer unix.Umask(old)
	f()
}

// allowed checks who is at the other end, as the kernel knows it.
func allowed(c net.Conn) bool {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return false
	}
	uid := uint32(0)
	if raw.Control(func(fd uintptr) { uid, err = peer(int(fd)) }) != nil || err != nil {
		return false
	}
	return uid == uint32(os.Getuid()) || uid == 0
}
