// Who is at the other end of a socket, on Linux.

package control

import "golang.org/x/sys/unix"

func peer(fd int) (uid uint32, err error) {
	c, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return c.Uid, nil
}
