//go:build unix

// Settings of sockets that Go has no name for.

package lend

import "syscall"

// forbidBroadcast takes back the permission to send to broadcast addresses, which Go gives to every
// UDP socket: not every such address can be told by looking at it.
func forbidBroadcast(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 0)
	}); e != nil {
		return e
	}
	return err
}
