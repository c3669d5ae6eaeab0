// Which sockets to the outside an engine may have: those of the way out that its user typed.

package warden

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"nightjar/onion/exposure"
	"nightjar/onion/native"
	"nightjar/onion/outlet"
	"nightjar/onion/quiet"
)

// A Way is what the user typed of a way out. It alone decides which sockets to the outside a warden
// opens; nothing that an engine says adds to it. The zero Way is tor, and opens none.
type Way struct {
	Kind exposure.Way
	To   netip.AddrPort // of vpn and tor-over-vpn the endpoint, of socks the proxy
	Name string         // of device, the interface
	Word string         // of direct, what was typed
}

// leads reports whether a socket that is connected to an address belongs to the way.
func (w Way) leads(network string, to netip.AddrPort) bool {
	switch w.Kind {
	case exposure.VPN, exposure.TorOverVPN:
		return network == "udp" && to == w.To
	case exposure.SOCKS: // its relays for datagrams are on its own host: see also relays
		return network == "tcp" && to == w.To ||
			network == "udp" && to.Addr() == w.To.Addr() && to.Port() != 0 &&
				(to.Port() >= firstOpen || !to.Addr().IsLoopback())
	}
	return false // of device and direct the engine has datagrams, and needs no stream
}

// firstOpen is the first port that a user may listen at. Those before it are the system's.
const firstOpen = 1024

// anywhere reports whether the way's datagrams go to whatever address the engine names: then its
// list of system calls has to let it name one.
func (w Way) anywhere() bool { return w.Kind == exposure.Device || w.Kind == exposure.Direct }

// Socket opens a socket, "tcp" or "udp", connected to an address that the way leads to. Errors are
// ErrGone, or a syscall.Errno: EPERM for any other address.
func (w *Ward) Socket(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	f, err := w.fetch(ctx, ask{Do: "socket", Net: network, At: to.String()})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, quiet.Error(err)
	}
	return quiet.Conn(c), nil
}

// datagrams opens a socket of a device or of direct, which can send to any address by that.
func (w *Ward) datagrams(ctx context.Context) (net.PacketConn, error) {
	f, err := w.fetch(ctx, ask{Do: "datagrams"})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := net.FilePacketConn(f)
	return c, quiet.Error(err)
}

// Native is the way out by one interface, or by any: its sockets are the warden's to open. There
// are no streams: nothing needs one, and one could lead to what listens on this machine.
func (w *Ward) Native() *native.Lent {
	return native.Borrow(native.Lender{Listen: w.datagrams, Gone: w.lost,
		Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
			return nil, syscall.EPERM
		}})
}

// Outlet takes over the listener at which the tors of this engine leave, and the login that they
// show there. The warden has told them of both; the engine cannot.
func (w *Ward) Outlet(ctx context.Context) (net.Listener, outlet.Login, error) {
	got, err := w.ask(ctx, ask{Do: "outlet"})
	if err != nil {
		return nil, outlet.Login{}, err
	}
	login := outlet.Login{User: got.User, Password: got.Key}
	switch {
	case got.with != nil:
		defer got.with.Close()
		l, err := net.FileListener(got.with)
		return l, login, quiet.Error(err)
	case login.User == "":
		return nil, outlet.Login{}, syscall.EPERM
	}
	g := gather()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outlets = g
	return g, login, nil
}

// outlet takes over the listener that one tor leaves by, if each of them has its own. Where the
// outlet has been closed since, that tor goes nowhere.
func (w *Ward) outlet(id int) (net.Listener, error) {
	w.mu.Lock()
	all := w.outlets
	w.mu.Unlock()
	if all == nil {
		return nil, nil
	}
	f, err := w.fetch(context.Background(), ask{Do: "outlet", Tor: id})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, quiet.Error(err)
	}
	all.add(l)
	return l, nil
}

// Moved tells each time that this machine's network has changed, unless it was told already and
// nobody has taken notice.
func (w *Ward) Moved() <-chan struct{} { return w.moved }
