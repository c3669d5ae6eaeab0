// Package sockets opens the sockets of a phone's door: loopback addresses only, and a twin in
// memory for tests.
//
// A socket bound to an IPv4 loopback address cannot reach another machine: the kernel refuses to
// send from it over any other interface, unless the system was told otherwise (route_localnet).
// From the loopback address of IPv6 it does send, so that there is no door on that. That is why
// every socket of the door is made here and none without an address. Every port is named, too: the
// kernel takes a port that it chose itself back from a socket that is disconnected, and then lets
// it be bound to another address.
package sockets

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
)

// ErrNotLoopback is returned for an address that is not on the loopback network of IPv4.
var ErrNotLoopback = errors.New("not a loopback address")

// Loopback opens real sockets. The zero value is ready.
type Loopback struct{}

// Packet opens a UDP socket; port 0 picks a free one. Errors are ErrNotLoopback or a
// syscall.Errno such as EADDRINUSE.
func (Loopback) Packet(at netip.AddrPort) (net.PacketConn, error) {
	if !at.Addr().Is4() || !at.Addr().IsLoopback() {
		return nil, ErrNotLoopback
	}
	return named(at, func(at netip.AddrPort) (net.PacketConn, netip.AddrPort, error) {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		if err != nil {
			return nil, at, bare(err)
		}
		return c, c.LocalAddr().(*net.UDPAddr).AddrPort(), nil
	})
}

// Stream opens a TCP listener; port 0 picks a free one. Errors as of Packet.
func (Loopback) Stream(at netip.AddrPort) (net.Listener, error) {
	if !at.Addr().Is4() || !at.Addr().IsLoopback() {
		return nil, ErrNotLoopback
	}
	return named(at, func(at netip.AddrPort) (net.Listener, netip.AddrPort, error) {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		if err != nil {
			return nil, at, bare(err)
		}
		return l, l.Addr().(*net.TCPAddr).AddrPort(), nil
	})
}

// named opens a socket whose port has been named: if none is asked for, it takes the one that the
// kernel chooses, and opens the socket again. Others may be quicker, so it tries a few times.
func named[S io.Closer](at netip.AddrPort, open func(netip.AddrPort) (S, netip.AddrPort, error)) (
	s S, err error) {
	if at.Port() != 0 {
		s, _, err = open(at)
		return s, err
	}
	for range 8 {
		var got netip.AddrPort
		if s, got, err = open(at); err != nil {
			return s, err
		}
		s.Close()
		if s, _, err = open(netip.AddrPortFrom(at.Addr(), got.Port())); err == nil {
			return s, nil
		}
	}
	return s, err
}

// bare strips the address that the net package puts into its errors.
func bare(err error) error {
	var no syscall.Errno
	if errors.As(err, &no) {
		return no
	}
	return net.ErrClosed
}
