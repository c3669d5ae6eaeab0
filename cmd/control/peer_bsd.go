//go:build darwin || freebsd

// Who is at the other end of a socket, on the BSDs and darwin.

package control

import "golang.org/x/sys/unix"

func peer(fd int) (uid uint32, err error) {
	c, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return c.Uid, nil
}
