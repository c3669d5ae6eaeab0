//go:build unix

// Settings of sockets that Go has no name for.

package native

import "syscall"

// noBroadcast takes back the permission to send to broadcast addresses, which Go gives to every UDP
// socket.
func noBroadcast(_, _ string, c syscall.RawConn) error {
	return on(c, func(fd int) error {
		return syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_BROADCAST, 0)
	})
}

// on does something with the number of a socket.
func on(c syscall.RawConn, do func(fd int) error) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = do(int(fd)) }); e != nil {
		return e
	}
	return err
}
