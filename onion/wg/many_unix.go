//go:build unix

// Reading what has come, many packets at a time.

package wg

import (
	"net"
	"syscall"
)

// readMany reads packets that have come, and waits for one if there is none. Packets go through
// WireGuard in batches, which is most of what makes it fast. Only read(2) is used, which the sealed
// engine may call.
func readMany(sock net.Conn, bufs [][]byte, sizes []int) (n int, err error) {
	c, ok := sock.(syscall.Conn)
	if !ok {
		return readOne(sock, bufs, sizes)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return readOne(sock, bufs, sizes)
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		for n < len(bufs) {
			size, e := syscall.Read(int(fd), bufs[n])
			switch {
			case e == syscall.EINTR:
				continue
			case e == syscall.EAGAIN:
				return n > 0
			case e != nil:
				failed = e // what was read before counts; a lasting error comes again
				return true
			}
			sizes[n] = size
			n++
		}
		return true
	})
	if err == nil {
		err = failed
	}
	return n, err
}
