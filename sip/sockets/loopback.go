// Package sockets opens the sockets of a phone's door: loopback addresses only, and a twin in
// memory for tests.
//
// A socket bound to a loopback address cannot reach another machine: the kernel refuses to
// send from it over any other interface. That is why every socket of the door is made here and
// none without an address.
package sockets

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// ErrNotLoopback is returned for an address that is not on loopback.
var ErrNotLoopback = errors.New("not a loopback address")

// Loopback opens real sockets. The zero value is ready.
type Loopback struct{}

// Packet opens a UDP socket; port 0 picks a free one. Errors are ErrNotLoopback or a
// syscall.Errno such as EADDRINUSE.
func (Loopback) Packet(at netip.AddrPort) (net.PacketConn, error) {
	if !at.Addr().IsLoopback() {
		return nil, ErrNotLoopback
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, bare(err)
	}
	return c, nil
}

// Stream opens a TCP listener; port 0 picks a free one. Errors as of Packet.
func (Loopback) Stream(at netip.AddrPort) (net.Listener, error) {
	if !at.Addr().IsLoopback() {
		return nil, ErrNotLoopback
	}
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		return nil, bare(err)
	}
	return l, nil
}

// bare strips the address that the net package puts into its errors.
func bare(err error) error {
	var no syscall.Errno
	if errors.As(err, &no) {
		return no
	}
	return net.ErrClosed
}
