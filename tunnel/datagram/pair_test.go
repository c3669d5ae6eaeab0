// What the tests of this package share: a network in memory that loses, doubles and reorders and
// whose ends move, contacts, and pairs of sessions.

package datagram

import (
	"context"
	"crypto/rand"
	mrand "math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/proof"
)

// A network delivers datagrams between its ends.
type network struct {
	mu     sync.Mutex
	ends   map[netip.AddrPort]*end
	delay  time.Duration
	jitter time.Duration // reorders
	loss   float64
	double float64
	dice   *mrand.Rand
	watch  func(wire []byte, from, to netip.AddrPort) // nil, or told of everything that is sent
	stop   func(wire []byte, from, to netip.AddrPort) bool
}

func newNetwork() *network {
	return &network{ends: make(map[netip.AddrPort]*end), dice: mrand.New(mrand.NewPCG(1, 2)),
		delay: 20 * time.Millisecond}
}

// weather sets what the network does to datagrams from now on.
func (n *network) weather(loss, double float64, jitter time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loss, n.double, n.jitter = loss, double, jitter
}

// stopping sets what the network swallows from now on.
func (n *network) stopping(stop func(wire []byte, from, to netip.AddrPort) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stop = stop
}

// place is an address in documentation space (RFC 5737).
func place(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), uint16(1000+n/256))
}

// An end is one socket on the network.
type end struct {
	n      *network
	at     netip.AddrPort
	in     chan arrival
	closed chan struct{}
	once   sync.Once
}

type arrival struct {
	wire []byte
	from netip.AddrPort
}

func (n *network) end(at netip.AddrPort) *end {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := &end{n: n, at: at, in: make(chan arrival, 1024), closed: make(chan struct{})}
	n.ends[at] = e
	return e
}

// move gives an end another address; what is on the way to the old one is lost.
func (n *network) move(e *end, to netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.ends, e.at)
	e.at = to
	n.ends[to] = e
}

// throw sends wire as if from that address.
func (n *network) throw(wire []byte, from, to netip.AddrPort) {
	n.mu.Lock()
	watch, stop := n.watch, n.stop
	n.mu.Unlock()
	if watch != nil {
		watch(wire, from, to)
	}
	if stop != nil && stop(wire, from, to) {
		return
	}
	wire = slices.Clone(wire)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dice.Float64() < n.loss {
		return
	}
	times := 1
	if n.dice.Float64() < n.double {
		times = 2
	}
	for range times {
		delay := n.delay
		if n.jitter > 0 {
			delay += time.Duration(n.dice.Int64N(int64(n.jitter)))
		}
		time.AfterFunc(delay, func() { n.land(wire, from, to) })
	}
}

func (n *network) land(wire []byte, from, to netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e := n.ends[to]; e != nil {
		select {
		case e.in <- arrival{wire, from}:
		default:
		}
	}
}

func (e *end) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case a := <-e.in:
		return copy(b, a.wire), net.UDPAddrFromAddrPort(a.from), nil
	case <-e.closed:
		return 0, nil, net.ErrClosed
	}
}

func (e *end) WriteTo(b []byte, to net.Addr) (int, error) {
	e.n.mu.Lock()
	from := e.at
	e.n.mu.Unlock()
	e.n.throw(b, from, to.(*net.UDPAddr).AddrPort())
	return len(b), nil
}

func (e *end) Close() error {
	e.once.Do(func() { close(e.closed) })
	return nil
}

func (e *end) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(e.at) }
func (e *end) SetDeadline(time.Time) error      { return nil }
func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }

// contacts are two who know each other, and their endpoints on a network.
type contacts struct {
	n          *network
	aKey, bKey *proof.Key
	a, b       tunnel.Peer // as the other knows them
	aEnd, bEnd *end
	ea, eb     *Endpoint
}

func newContacts(t testing.TB) *contacts {
	c := &contacts{n: newNetwork(), aKey: proof.NewKey(t), bKey: proof.NewKey(t)}
	var root, psk [32]byte
	rand.Read(root[:])
	rand.Read(psk[:])
	c.a = tunnel.Peer{Static: c.aKey.AgreementKey(), Root: root, PSK: psk}
	c.b = tunnel.Peer{Static: c.bKey.AgreementKey(), Root: root, PSK: psk}
	c.aEnd, c.bEnd = c.n.end(place(1)), c.n.end(place(2))
	c.ea = New(c.aEnd, c.aKey, func() []tunnel.Peer { return []tunnel.Peer{c.b} })
	c.eb = New(c.bEnd, c.bKey, func() []tunnel.Peer { return []tunnel.Peer{c.a} })
	return c
}

func (c *contacts) close() {
	c.ea.Close()
	c.eb.Close()
}

// connect makes a session that a begins.
func (c *contacts) connect(t testing.TB) (a, b *Conn) {
	t.Helper()
	a, err := c.ea.Dial(context.Background(), c.b, place(2))
	if err != nil {
		t.Fatal("dial:", err)
	}
	if b, err = c.eb.Accept(context.Background()); err != nil {
		t.Fatal("accept:", err)
	}
	return a, b
}

// newPair is a session over a network that does no harm.
func newPair(t testing.TB) (c *contacts, a, b *Conn) {
	t.Helper()
	c = newContacts(t)
	a, b = c.connect(t)
	return c, a, b
}

var _ tunnel.Tunnel = (*Conn)(nil)
