//go:build !linux

// Binding sockets to an interface: not on this system.

package native

import (
	"net"
	"syscall"
)

func guardOf(string) (net.PacketConn, int, error) { return nil, 0, ErrNoBinding }

func bindTo(int, syscall.RawConn) error { return ErrNoBinding }

func there(net.PacketConn) bool { return false }
