//go:build !linux

// Where the system cuts and joins no rows, datagrams go one by one.

package batch

import (
	"net"
	"net/netip"
)

type rows struct{}

func (*rows) prepare(*net.UDPConn) {}

func (*rows) sends() bool { return false }

func (*rows) send(*net.UDPConn, []byte, int, netip.AddrPort) (bool, error) { return true, nil }

func (*rows) receive(c *net.UDPConn, b []byte) (n, size int, from netip.AddrPort, err error) {
	n, from, err = c.ReadFromUDPAddrPort(b)
	return n, n, from, err
}
