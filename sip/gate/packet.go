// The gate in front of a UDP socket.

package gate

import (
	"errors"
	"net"
	"net/netip"
)

// ErrDestination is returned for a datagram to an address that is neither loopback nor that
// of an authenticated phone.
var ErrDestination = errors.New("not an address of the phone")

// Packet wraps a UDP socket of the door.
func (g *Gate) Packet(c net.PacketConn) net.PacketConn {
	return &packetGate{PacketConn: c, gate: g}
}

type packetGate struct {
	net.PacketConn
	gate *Gate
}

// ReadFrom returns the next message that may pass. It fails only when the socket is closed: an
// error would end the stack's listener for good.
func (p *packetGate) ReadFrom(b []byte) (int, net.Addr, error) {
	buf := make([]byte, 65536)
	for failures := 0; failures < 100; {
		n, addr, err := p.PacketConn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			break
		}
		udp, ok := addr.(*net.UDPAddr)
		if err != nil || !ok {
			failures++
			continue
		}
		failures = 0
		from := netip.AddrPortFrom(udp.AddrPort().Addr().Unmap(), udp.AddrPort().Port())
		in, reply := p.gate.pass(buf[:n], sender{at: from})
		if reply != nil {
			p.PacketConn.WriteTo(reply, net.UDPAddrFromAddrPort(from)) // lost is as good as late
		}
		if in != nil && len(in) <= len(b) {
			return copy(b, in), net.UDPAddrFromAddrPort(from), nil
		}
	}
	return 0, nil, net.ErrClosed
}

// WriteTo sends to loopback, or to the host that a phone has authenticated from: a phone may
// use another address of this machine as its source.
func (p *packetGate) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, ErrDestination
	}
	host := udp.AddrPort().Addr().Unmap()
	if !host.IsLoopback() && !p.gate.senders.knownHost(host) {
		return 0, ErrDestination
	}
	if _, err := p.PacketConn.WriteTo(b, net.UDPAddrFromAddrPort(
		netip.AddrPortFrom(host, udp.AddrPort().Port()))); err != nil {
		return 0, ErrDestination // the error of the net package holds addresses
	}
	return len(b), nil
}
