// A network in memory: conns that reach each other by address, in fake time.

package serve

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/meet/walk"
)

// hub is the network. heard, if set, is told of every packet.
type hub struct {
	mu    sync.Mutex
	conns map[netip.AddrPort]*hubConn
	heard func(b []byte, from, to netip.AddrPort)
}

func newHub() *hub { return &hub{conns: make(map[netip.AddrPort]*hubConn)} }

type letter struct {
	b    []byte
	from netip.AddrPort
}

// hubConn is a socket at one address.
type hubConn struct {
	hub  *hub
	at   netip.AddrPort
	in   chan letter
	gone chan struct{}
	once sync.Once
}

func (h *hub) conn(at netip.AddrPort) *hubConn {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &hubConn{hub: h, at: at, in: make(chan letter, 4096), gone: make(chan struct{})}
	h.conns[at] = c
	return c
}

// send delivers a packet, whoever it claims to be from.
func (h *hub) send(b []byte, from, to netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.heard != nil {
		h.heard(b, from, to)
	}
	if c := h.conns[to]; c != nil {
		select {
		case c.in <- letter{bytes.Clone(b), from}:
		default:
		}
	}
}

func (c *hubConn) WriteTo(b []byte, to net.Addr) (int, error) {
	c.hub.send(b, c.at, to.(*net.UDPAddr).AddrPort())
	return len(b), nil
}

func (c *hubConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case l := <-c.in:
		return copy(b, l.b), net.UDPAddrFromAddrPort(l.from), nil
	case <-c.gone:
		return 0, nil, net.ErrClosed
	}
}

func (c *hubConn) Close() error {
	c.once.Do(func() { close(c.gone) })
	return nil
}

// Carries lets a walk know which kind the conn is of.
func (c *hubConn) Carries() (ip4, ip6 bool) { return c.at.Addr().Is4(), c.at.Addr().Is6() }

func (c *hubConn) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(c.at) }
func (c *hubConn) SetDeadline(time.Time) error      { return nil }
func (c *hubConn) SetReadDeadline(time.Time) error  { return nil }
func (c *hubConn) SetWriteDeadline(time.Time) error { return nil }

// place is the nth address, each in a network of its own.
func place(n int, six bool) netip.AddrPort {
	a := netip.AddrFrom4([4]byte{80 + byte(n/200), byte(n % 200), 1, 1})
	if six {
		a = netip.AddrFrom16([16]byte{0x2a, byte(n / 200), byte(n % 200), 15: 1})
	}
	return netip.AddrPortFrom(a, 6881)
}

func anybody(netip.AddrPort) bool { return true }

// swarm runs n servers that know the first, and returns them when they know each other.
func swarm(t *testing.T, h *hub, n int, six bool) (all []*Server) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	for i := range n {
		s := &Server{Allowed: anybody,
			Nodes: func() []netip.AddrPort { return []netip.AddrPort{place(0, six)} }}
		c := h.conn(place(i, six))
		all = append(all, s)
		running.Go(func() { _ = s.Run(ctx, c, six) })
	}
	<-time.After(3 * time.Minute)
	return all
}

// alone runs one server that knows nobody, in fake time, and returns it.
func alone(t *testing.T, h *hub) *Server {
	t.Helper()
	s := &Server{Allowed: anybody}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	t.Cleanup(func() { stop(); <-ended })
	c := h.conn(place(0, false))
	go func() {
		defer close(ended)
		_ = s.Run(ctx, c, false)
	}()
	synctest.Wait()
	return s
}

// bubble runs f in fake time, on one processor, as the tests of package walk do.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, f)
}

// signed makes an item.
func signed(seed byte, seq int64, value string) walk.Item {
	priv := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32))
	i := walk.Item{Key: [32]byte(priv[32:]), Seq: seq, Value: []byte(value)}
	i.Sig = [64]byte(ed25519.Sign(priv, walk.SigningBytes(seq, i.Value)))
	return i
}
