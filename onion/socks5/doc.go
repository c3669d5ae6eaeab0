// Package socks5 is a way out by a SOCKS5 proxy (RFC 1928, RFC 1929): streams to addresses, and
// datagrams by UDP ASSOCIATE. It opens no socket; its Opener does. It looks up no name, and gives
// the proxy none.
//
// A datagram on the socket between us and the proxy's relay, both ways:
//
//	offset  size   content
//	0       2      zero
//	2       1      fragment; only 0, others are dropped
//	3       1      1 for IPv4, 4 for IPv6
//	4       4, 16  the address of the host that it goes to, or came from
//	        2      its port
//	        n      the datagram
//
// The relay exists while the TCP connection does on which it was asked for, and no longer. That
// connection is watched: when it ends, so does the socket, at once.
package socks5

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"nightjar/onion/held"
	"nightjar/onion/quiet"
)

var (
	// ErrProtocol means an answer that is not SOCKS5, or a kind of login that was not offered.
	ErrProtocol = errors.New("the proxy does not speak SOCKS5 as asked")
	// ErrDenied means that the proxy wants a login, or another one.
	ErrDenied = errors.New("the proxy does not take the login")
	// ErrRefused means that the proxy refused what it was asked for, or could not do it.
	ErrRefused = errors.New("the proxy refused")
	// ErrRelay means that the proxy named a relay on another host, which is not followed: nothing
	// is sent to anybody but the proxy.
	ErrRelay = errors.New("the proxy's relay is elsewhere")
	// ErrLost means that the proxy has ended a relay.
	ErrLost = errors.New("the proxy is gone")
	// ErrAddress means an address that a proxy cannot be asked for.
	ErrAddress = errors.New("not an address of a host")
	// ErrLogin means a user or password that cannot be sent: empty, or over 255 bytes.
	ErrLogin = errors.New("not a login")
)

// An Opener opens a socket, "tcp" or "udp", that is connected to an address and to no other.
type Opener func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)

// Config says which proxy to use.
type Config struct {
	Proxy          netip.AddrPort
	User, Password string // both or none
	Open           Opener
}

// A Proxy is the way out by one proxy. It is safe for use by several goroutines at once.
type Proxy struct {
	config Config
	open   held.Set
	done   chan struct{}
}

// Open returns the way out by a proxy, once the proxy has let us in. Errors are those of the
// Opener, ErrProtocol, ErrDenied and ErrLogin.
func Open(ctx context.Context, c Config) (*Proxy, error) {
	if (c.User == "") != (c.Password == "") || len(c.User) > 255 || len(c.Password) > 255 {
		return nil, ErrLogin
	}
	p := &Proxy{config: c, done: make(chan struct{})}
	knock, err := p.enter(ctx, func(net.Conn) error { return nil })
	if err != nil {
		return nil, err
	}
	knock.Close()
	return p, nil
}

// DialAddr opens a TCP stream to an address.
func (p *Proxy) DialAddr(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	if !valid(to) {
		return nil, ErrAddress
	}
	c, err := p.enter(ctx, func(c net.Conn) error {
		_, err := command(c, connect, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p.open.Conn(quiet.Conn(c))
}

// ListenPacket opens a socket for datagrams, by a relay and a control connection of its own.
// WriteTo takes *net.UDPAddr. When the proxy ends the relay, reads and writes fail with ErrLost.
func (p *Proxy) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	var relay netip.AddrPort
	control, err := p.enter(ctx, func(c net.Conn) (err error) {
		relay, err = command(c, associate, netip.AddrPortFrom(netip.IPv4Unspecified(), 0))
		return err
	})
	if err != nil {
		return nil, err
	}
	if relay, err = near(relay, p.config.Proxy.Addr()); err != nil {
		control.Close()
		return nil, err
	}
	udp, err := p.config.Open(ctx, "udp", relay)
	if err != nil {
		control.Close()
		return nil, quiet.Error(err)
	}
	a := newAssociation(control, udp)
	if err := p.open.Add(a); err != nil {
		return nil, err
	}
	a.watch(func() { p.open.Drop(a) })
	return a, nil
}

// near returns the relay if it is on the proxy's host. Some proxies say 0.0.0.0 for themselves.
func near(relay netip.AddrPort, proxy netip.Addr) (netip.AddrPort, error) {
	ip := relay.Addr().Unmap()
	if ip.IsUnspecified() {
		ip = proxy.Unmap()
	}
	if ip != proxy.Unmap() || relay.Port() == 0 {
		return netip.AddrPort{}, ErrRelay
	}
	return netip.AddrPortFrom(ip, relay.Port()), nil
}

// Done is closed when the way has been closed. Nothing takes its place.
func (p *Proxy) Done() <-chan struct{} { return p.done }

// Close ends the way, its streams and its sockets.
func (p *Proxy) Close() error {
	if p.open.Close() {
		close(p.done)
	}
	return nil
}
