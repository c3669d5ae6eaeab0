// Binding sockets to an interface, as Linux does it.

package native

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// guardOf binds a socket to the interface that has a name, and returns the interface's number,
// which no other interface gets while the system runs.
func guardOf(name string) (net.PacketConn, int, error) {
	if name == "" || len(name) >= unix.IFNAMSIZ {
		return nil, 0, ErrDevice
	}
	index := 0
	c, err := listen(context.Background(), func(_, _ string, c syscall.RawConn) error {
		return on(c, func(fd int) (err error) {
			if err = unix.BindToDevice(fd, name); err == nil {
				index, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX)
			}
			return err
		})
	})
	if err != nil {
		return nil, 0, ErrDevice
	}
	if index <= 0 {
		c.Close()
		return nil, 0, ErrNoBinding
	}
	return c, index, nil
}

// bindTo binds a socket to an interface by its number. If that interface is gone the kernel has
// nothing to send by.
func bindTo(index int, c syscall.RawConn) error {
	return on(c, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, index)
	})
}

// there reports whether the interface that a socket is bound to exists.
func there(guard net.PacketConn) bool {
	s, ok := guard.(syscall.Conn)
	if !ok {
		return false
	}
	c, err := s.SyscallConn()
	if err != nil {
		return false
	}
	return on(c, func(fd int) error {
		_, err := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE)
		return err
	}) == nil
}
