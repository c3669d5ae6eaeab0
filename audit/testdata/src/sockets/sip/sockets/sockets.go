// Package sockets may listen on loopback.
package sockets

import (
	"net"
	"net/netip"
)

func listens(at netip.AddrPort) {
	if at.Addr().IsLoopback() {
		_, _ = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		_, _ = net.Dial("udp", at.String()) // want "sip/sockets uses net.Dial"
	}
}
