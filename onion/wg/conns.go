// Sockets and streams of the host inside the VPN, as the rest of the program knows them.

package wg

import (
	"context"
	"io"
	"net"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"

	"nightjar/onion/quiet"
)

// full returns an address as the stack knows it.
func full(a netip.AddrPort) (tcpip.FullAddress, tcpip.NetworkProtocolNumber) {
	number := ipv4.ProtocolNumber
	if a.Addr().Is6() {
		number = ipv6.ProtocolNumber
	}
	return tcpip.FullAddress{NIC: nic, Addr: tcpip.AddrFromSlice(a.Addr().AsSlice()),
		Port: a.Port()}, number
}

// leads reports whether the host has an address from which a can be reached.
func (h *host) leads(a netip.AddrPort) bool {
	ip := a.Addr()
	if !ip.IsValid() || a.Port() == 0 || ip.IsUnspecified() || ip.IsMulticast() ||
		ip.IsLoopback() || ip.Zone() != "" {
		return false
	}
	return ip.Is4() && h.v4.IsValid() || ip.Is6() && h.v6.IsValid()
}

// listen opens a datagram socket. It is bound to an address: one that is not would be of IPv6 and
// reach no IPv4 host, or have no route, or bring down the stack.
func (h *host) listen() (net.PacketConn, error) {
	at := h.v4
	if !at.IsValid() {
		at = h.v6
	}
	local, number := full(netip.AddrPortFrom(at, 0))
	c, err := gonet.DialUDP(h.stack, &local, nil, number)
	if err != nil {
		return nil, net.ErrClosed
	}
	return quiet.Packets(&datagrams{c, h}), nil
}

// dial opens a TCP stream.
func (h *host) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	if !h.leads(to) {
		return nil, ErrAddress
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // a dial in its beginning does not see that the stack ends
		select {
		case <-h.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	remote, number := full(to)
	c, err := gonet.DialContextTCP(ctx, h.stack, remote, number)
	if err != nil {
		return nil, ErrUnreached
	}
	return quiet.Conn(c), nil
}

// datagrams is a socket of the stack that behaves as one of the system does.
type datagrams struct {
	*gonet.UDPConn
	host *host
}

// ReadFrom returns net.ErrClosed after Close, where the stack says io.EOF.
func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := d.UDPConn.ReadFrom(b)
	if err == io.EOF {
		err = net.ErrClosed
	}
	return n, from, err
}

// WriteTo takes IPv4 addresses also when they are written in 16 bytes, which the stack takes for
// IPv6, and refuses what is no UDP address, which the stack would panic at.
func (d *datagrams) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok || a == nil {
		return 0, ErrAddress
	}
	at := a.AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	if !d.host.leads(at) || at.Addr().Is4() != d.host.v4.IsValid() {
		return 0, ErrAddress
	}
	return d.UDPConn.WriteTo(b, net.UDPAddrFromAddrPort(at))
}
