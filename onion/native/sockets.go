// Package native opens the system's own sockets towards the outside: the only place that does so
// for ways out other than Tor. A way out that is made of them shows this machine's address, or that
// of the system's VPN, to whomever it sends to.
//
//	Dial     one socket, connected to one address: to a VPN's endpoint, to a proxy
//	Device   sockets that are bound to one network interface, as the system's VPN makes one
//	Direct   sockets bound to nothing; only for those who typed the word that says so
//
// Nothing here looks up a name. Nothing here leaves by another interface when one is gone.
package native

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"nightjar/onion/held"
	"nightjar/onion/quiet"
)

// Dial opens a socket that is connected to an address, and to no other: network is "tcp" or "udp".
// The system chooses the way there. Errors hold no address.
func Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	c, err := connect(ctx, network, to, nil)
	if err != nil {
		return nil, err
	}
	if u, ok := c.(*net.UDPConn); ok {
		u.SetReadBuffer(burst) // as far as the system lets us
		u.SetWriteBuffer(burst)
	}
	return quiet.Conn(c), nil
}

// burst is how many bytes of datagrams may wait: a VPN's come many at once.
const burst = 4 << 20

// A control sets a socket up before it is used.
type control func(network, address string, c syscall.RawConn) error

func connect(ctx context.Context, network string, to netip.AddrPort, set control) (
	net.Conn, error) {
	if !to.IsValid() || to.Port() == 0 || to.Addr().IsUnspecified() || to.Addr().Zone() != "" {
		return nil, syscall.EINVAL
	}
	d := net.Dialer{Control: set}
	c, err := d.DialContext(ctx, network, to.String())
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return c, quiet.Error(err)
}

func listen(ctx context.Context, set control) (net.PacketConn, error) {
	l := net.ListenConfig{Control: set}
	c, err := l.ListenPacket(ctx, "udp4", netip.AddrPortFrom(netip.IPv4Unspecified(), 0).String())
	return c, quiet.Error(err)
}

// A way is a way out by the system's sockets.
type way struct {
	set  control
	open held.Set
	done chan struct{}
}

// ListenPacket opens a socket for datagrams of IPv4, with a port of its own. It cannot send to
// broadcast addresses.
func (w *way) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	c, err := listen(ctx, w.set)
	if err != nil {
		return nil, err
	}
	return w.open.Packets(quiet.Packets(c))
}

// DialAddr opens a TCP stream to an address.
func (w *way) DialAddr(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	c, err := connect(ctx, "tcp", to, w.set)
	if err != nil {
		return nil, err
	}
	return w.open.Conn(quiet.Conn(c))
}

// Packet opens the socket of ListenPacket as it is, for a process that hands it to another. Who has
// it closes it.
func (w *way) Packet(ctx context.Context) (net.PacketConn, error) { return listen(ctx, w.set) }

// end closes all sockets, and marks the way as done.
func (w *way) end() {
	if w.open.Close() {
		close(w.done)
	}
}

// Done is closed when the way is gone, by its owner or by itself. Nothing takes its place.
func (w *way) Done() <-chan struct{} { return w.done }

// Loopback opens a listener for TCP on the loopback address, at a port, or with 0 at one of the
// system's choice. It is for a program on this machine that cannot be reached otherwise.
func Loopback(port uint16) (net.Listener, error) {
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
	l, err := net.Listen("tcp4", at.String())
	return l, quiet.Error(err)
}
