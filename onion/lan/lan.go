// Package lan opens the sockets with which somebody looks around in the local network. Only a
// command that the user typed for that uses it: whoever else is in that network sees it. It knows
// nothing of what is said there.
package lan

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"nightjar/onion/quiet"
)

var (
	// ErrNoLAN means that this machine is in no network where many can be heard at once.
	ErrNoLAN = errors.New("no local network with multicast")
	// ErrFar means a datagram to somebody who is not in the local network.
	ErrFar = errors.New("not in the local network")
)

// Near reports whether an address is one of a local network, and of no other.
func Near(a netip.Addr) bool {
	return a.Is4() && (a.IsPrivate() || a.IsLinkLocalUnicast())
}

// group is where BEP14 tells of BitTorrent programs in the local network; it is no host.
func group() net.IP { return net.IP{239, 192, 152, 143} }

// groupPort is its UDP port.
const groupPort = 6771

// Hear opens a socket for what is told to the group of BEP14. Joining it is seen by whoever is in
// the local network; nothing else is sent. Errors are ErrNoLAN or those of the system.
func Hear() (net.PacketConn, error) {
	c, err := net.ListenMulticastUDP("udp4", nil, &net.UDPAddr{IP: group(), Port: groupPort})
	if err != nil {
		return nil, ErrNoLAN
	}
	return quiet.Packets(c), nil
}

// Ask opens a socket that sends to local networks alone, and hears nobody else.
func Ask(ctx context.Context) (net.PacketConn, error) {
	var lc net.ListenConfig
	any4 := netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	c, err := lc.ListenPacket(ctx, "udp4", any4.String())
	if err != nil {
		return nil, quiet.Error(err)
	}
	return &nearby{quiet.Packets(c)}, nil
}

// nearby is a socket for which there is nothing but local networks.
type nearby struct{ net.PacketConn }

func (n *nearby) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok || !Near(u.AddrPort().Addr().Unmap()) {
		return 0, ErrFar
	}
	return n.PacketConn.WriteTo(b, to)
}

func (n *nearby) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		size, from, err := n.PacketConn.ReadFrom(b)
		u, ok := from.(*net.UDPAddr)
		if err != nil || ok && Near(u.AddrPort().Addr().Unmap()) {
			return size, from, err
		}
	}
}
