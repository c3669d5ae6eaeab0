// Opening the chosen way, and nothing else.

package ways

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"nightjar/onion"
	"nightjar/onion/exposure"
	"nightjar/onion/native"
	"nightjar/onion/outlet"
	"nightjar/onion/socks5"
	"nightjar/onion/wg"
	"nightjar/onion/wgconf"
)

// answerTime is how long a VPN has to answer when it is opened.
const answerTime = 15 * time.Second

// Config is what ways out need besides their choice. What is nil is done in this process.
type Config struct {
	// File is what the file of vpn and tor-over-vpn holds; Open does not read files. The caller
	// may wipe it afterwards.
	File []byte
	// User and Password are for socks; both or none.
	User, Password string
	// Socket opens a socket, "tcp" or "udp", that is connected to one address: for vpn to its
	// endpoint, for socks to the proxy and its relays. It is asked again when the network changes.
	Socket func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
	// Outlet opens a TCP listener on a loopback address at which tor leaves, for tor-over-vpn.
	// Who gives a login with it tells tor of the listener, and Open does not.
	Outlet func(ctx context.Context) (net.Listener, outlet.Login, error)
	// Native gives the sockets of device and direct, where they are opened in another process.
	Native func() Carrier
	// Tor says how to start tor, for tor and tor-over-vpn.
	Tor onion.TorConfig
}

// A Way is a way out that is open. It has either a Tor or Packets.
type Way struct {
	Choice  Choice
	Tor     *onion.Tor    // for onion services; a Path
	Packets onion.Packets // for addresses
	VPN     *wg.VPN       // that it goes through, to look at; or nil

	packets *packets
	close   []func() error // the outermost first
}

// Open opens the chosen way. Its errors are of type *onion.Error. When it fails nothing is left
// open, and nothing else was tried.
func Open(ctx context.Context, c Choice, config Config) (*Way, error) {
	w := &Way{Choice: c}
	if err := w.open(ctx, config.whole()); err != nil {
		w.Close()
		var named *onion.Error
		if !errors.As(err, &named) {
			err = &onion.Error{Op: "open " + c.Way.String(), Place: place(err), Err: err}
		}
		return nil, err
	}
	return w, nil
}

// whole puts this process in where nothing was said.
func (c Config) whole() Config {
	if c.Socket == nil {
		c.Socket = native.Dial
	}
	if c.Outlet == nil {
		c.Outlet = func(context.Context) (net.Listener, outlet.Login, error) {
			l, err := native.Loopback(0)
			return l, outlet.Login{}, err
		}
	}
	return c
}

func (w *Way) open(ctx context.Context, c Config) error {
	switch w.Choice.Way {
	case exposure.Tor:
		return w.openTor(ctx, c)
	case exposure.TorOverVPN:
		return w.openTorOverVPN(ctx, c)
	case exposure.VPN:
		if err := w.openVPN(ctx, c); err != nil {
			return err
		}
		w.packets = &packets{Carrier: w.VPN, way: exposure.VPN}
		w.Packets = w.packets
		return nil
	case exposure.SOCKS:
		at, err := netip.ParseAddrPort(w.Choice.Of)
		if err != nil {
			return ErrChoice
		}
		p, err := socks5.Open(ctx, socks5.Config{Proxy: at, User: c.User, Password: c.Password,
			Open: c.Socket})
		return w.take(p, err)
	case exposure.Device, exposure.Direct:
		d, err := w.openNative(c)
		return w.take(d, err)
	}
	return ErrChoice
}

// openNative opens the way by the system's own sockets.
func (w *Way) openNative(c Config) (Carrier, error) {
	switch {
	case w.Choice.Way == exposure.Direct && !w.Choice.wasTyped():
		return nil, ErrWord
	case c.Native != nil:
		return c.Native(), nil
	case w.Choice.Way == exposure.Direct:
		return native.OpenDirect(w.Choice.typed)
	}
	return native.OpenDevice(w.Choice.Of)
}

func (w *Way) openTor(ctx context.Context, c Config) error {
	t, err := onion.StartTor(ctx, c.Tor)
	if err != nil {
		return err
	}
	w.Tor = t
	w.closes(t.Close)
	return nil
}

// openVPN starts the VPN and waits for its answer.
func (w *Way) openVPN(ctx context.Context, c Config) error {
	file, err := wgconf.Parse(c.File)
	if err != nil {
		return err
	}
	v, err := wg.Start(ctx, file, func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		return c.Socket(ctx, "udp", to)
	})
	if err != nil {
		return err
	}
	w.VPN = v
	w.closes(v.Close)
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return v.Handshake(ctx)
}

// openTorOverVPN starts a tor that has no way but the VPN: it is told of a proxy, and that proxy
// leads into the VPN or nowhere.
func (w *Way) openTorOverVPN(ctx context.Context, c Config) error {
	for _, line := range c.Tor.Options {
		name, _, _ := strings.Cut(strings.ToLower(line), " ")
		if strings.HasSuffix(name, "proxy") {
			return onion.ErrTorOption // tor can have one, and this one is the VPN's
		}
	}
	if err := errors.Join(CheckBridges(c.Tor.Ways), CheckBridges(c.Tor.Options)); err != nil {
		return err
	}
	if err := w.openVPN(ctx, c); err != nil {
		return err
	}
	l, login, err := c.Outlet(ctx)
	if err != nil {
		return err
	}
	if login == (outlet.Login{}) {
		login = outlet.NewLogin()
		c.Tor.Options = append(append([]string{}, c.Tor.Options...), login.Torrc(l.Addr())...)
	}
	o := outlet.Serve(l, login, w.VPN.DialAddr)
	w.closes(o.Close)
	return w.openTor(ctx, c)
}

// take makes an open carrier the way, unless opening it failed.
func (w *Way) take(c Carrier, err error) error {
	if err != nil {
		return err
	}
	w.packets = &packets{Carrier: c, way: w.Choice.Way}
	w.Packets = w.packets
	w.closes(c.Close)
	return nil
}

func (w *Way) closes(f func() error) { w.close = append([]func() error{f}, w.close...) }

// Exposes says who learns what on this way.
func (w *Way) Exposes() []onion.Exposure {
	if w.Tor == nil {
		return w.Choice.Exposes()
	}
	return beside(w.Choice, w.Tor.Exposes())
}

// Done is closed when the way is gone, by its owner or by itself. Nothing takes its place.
func (w *Way) Done() <-chan struct{} {
	if w.Tor != nil {
		return w.Tor.Done()
	}
	return w.Packets.Done()
}

// Close ends the way with all it carries, and returns when all has ended.
func (w *Way) Close() error {
	var errs []error
	for _, f := range w.close {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
