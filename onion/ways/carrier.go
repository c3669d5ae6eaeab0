// Ways out that know addresses: what carries them, what they show, and how they fare.

package ways

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"

	"nightjar/onion"
	"nightjar/onion/exposure"
	"nightjar/onion/socks5"
	"nightjar/onion/wg"
)

// A Carrier carries datagrams and streams to addresses.
type Carrier interface {
	ListenPacket(ctx context.Context) (net.PacketConn, error)
	DialAddr(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	Done() <-chan struct{}
	Close() error
}

// packets is a carrier that says what it shows, and remembers whether it worked last.
type packets struct {
	Carrier
	way  exposure.Way
	last atomic.Pointer[error] // why the last socket could not be had
}

// Exposes says who learns what on this way.
func (p *packets) Exposes() []onion.Exposure { return exposure.Of(p.way) }

func (p *packets) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	c, err := p.Carrier.ListenPacket(ctx)
	p.note(ctx, err)
	return c, err
}

// DialAddr opens a stream. That nobody took it says nothing of the way.
func (p *packets) DialAddr(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	c, err := p.Carrier.DialAddr(ctx, to)
	if err == nil {
		p.note(ctx, nil)
	}
	return c, err
}

// note remembers how the way did, unless its user gave up.
func (p *packets) note(ctx context.Context, err error) {
	switch {
	case err == nil:
		p.last.Store(nil)
	case ctx.Err() == nil:
		p.last.Store(&err)
	}
}

// Trouble says what keeps the way from carrying, as far as that shows; nil if nothing does. A way
// in trouble stays as it is: it carries again or it ends, and nothing takes its place. Of a Tor its
// own Health says more.
func (w *Way) Trouble() error {
	if w.VPN != nil && w.VPN.Health().Silent {
		return wg.ErrSilent
	}
	if w.packets == nil {
		return nil
	}
	if err := w.packets.last.Load(); err != nil {
		return *err
	}
	return nil
}

// Moved says that the network of this machine has changed: sockets of before may lead nowhere.
func (w *Way) Moved() {
	if w.VPN != nil {
		w.VPN.Roam()
	}
}

// place says where on the way something failed.
func place(err error) onion.Place {
	for _, far := range []error{wg.ErrSilent, socks5.ErrProtocol, socks5.ErrDenied,
		socks5.ErrRefused} {
		if errors.Is(err, far) {
			return onion.Gate
		}
	}
	return onion.Here
}
