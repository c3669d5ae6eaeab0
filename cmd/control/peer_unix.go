//go:build unix

// The socket's mode, and who is at its other end.

package control

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// listenPrivately makes a unix socket of mode 0600; it never has another one.
func listenPrivately(path string) (net.Listener, error) {
	old := unix.Umask(0o177)
	defer unix.Umask(old)
	return net.Listen("unix", path)
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
