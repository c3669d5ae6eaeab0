// A DHT in memory for the tests: nodes that behave as told, over a conn that needs no socket, so
// that everything runs in fake time.

package walk

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const trip = 50 * time.Millisecond // a round trip in the lab

// lab is a whole DHT. Its fields are fixed once a conn is open, but for sent.
type lab struct {
	t     testing.TB
	nodes map[netip.AddrPort]*fake
	order []*fake

	mu   sync.Mutex
	sent []sent
}

// sent is a packet that left through a conn of the lab.
type sent struct {
	to netip.AddrPort
	d  dict
	a  dict
}

// fake is one node. act, if set, answers in its place; a nil answer is silence.
type fake struct {
	addr netip.AddrPort
	id   [20]byte
	item *Item
	act  func(q sent) [][]byte
}

// newLab makes n honest nodes, no two in one /16.
func newLab(t testing.TB, n int) *lab {
	l := &lab{t: t, nodes: make(map[netip.AddrPort]*fake)}
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range n {
		var id [20]byte
		for j := range id {
			id[j] = byte(r.Uint32())
		}
		l.add(netip.AddrFrom4([4]byte{10, byte(i), 0, 1}), id)
	}
	return l
}

func (l *lab) add(ip netip.Addr, id [20]byte) *fake {
	f := &fake{addr: netip.AddrPortFrom(ip, 6881), id: id}
	l.nodes[f.addr] = f
	l.order = append(l.order, f)
	return f
}

func (l *lab) seeds(n int) []netip.AddrPort {
	var out []netip.AddrPort
	for _, f := range l.order[:n] {
		out = append(out, f.addr)
	}
	return out
}

// road opens a road into the lab that ends with the test.
func (l *lab) road(ctx context.Context, seeds []netip.AddrPort) (*Road, *labConn) {
	c := &labConn{lab: l, in: make(chan delivery, 1024), closed: make(chan struct{}),
		broken: make(chan struct{})}
	return Open(ctx, c, seeds), c
}

// both is a conn that says which kinds it carries.
type both struct {
	*labConn
	four, six bool
}

func (b both) Carries() (ip4, ip6 bool) { return b.four, b.six }

// roadOf opens a road that carries IPv4, IPv6 or both.
func (l *lab) roadOf(ctx context.Context, four, six bool, seeds []netip.AddrPort) *Road {
	c := &labConn{lab: l, in: make(chan delivery, 1024), closed: make(chan struct{}),
		broken: make(chan struct{})}
	return Open(ctx, both{c, four, six}, seeds)
}

// closest returns the n nodes nearest to a target.
func (l *lab) closest(target [20]byte, n int) []*fake { return l.closestOf(-1, target, n) }

// closestOf returns those of a kind; -1 is any.
func (l *lab) closestOf(kind int, target [20]byte, n int) []*fake {
	all := slices.DeleteFunc(slices.Clone(l.order), func(f *fake) bool {
		return kind >= 0 && kindOf(f.addr.Addr()) != kind
	})
	slices.SortFunc(all, func(a, b *fake) int {
		for i := range target {
			if x, y := a.id[i]^target[i], b.id[i]^target[i]; x != y {
				return int(x) - int(y)
			}
		}
		return 0
	})
	return all[:min(n, len(all))]
}

// answer is what node f says to q.
func (l *lab) answer(f *fake, q sent) [][]byte {
	if f.act != nil {
		return f.act(q)
	}
	return [][]byte{l.honest(f, q)}
}

func (l *lab) honest(f *fake, q sent) []byte {
	body := dict{{"id", encodeString(f.id[:])}}
	switch string(q.d.str("q")) {
	case "get", "find_node":
		for kind, key := range []string{ip4: "nodes", ip6: "nodes6"} {
			if !strings.Contains(string(q.a.get("want")), []string{"n4", "n6"}[kind]) {
				continue
			}
			var nodes []byte
			for _, n := range l.closestOf(kind, [20]byte(q.a.str("target")), 8) {
				nodes = append(append(nodes, n.id[:]...), compact(n.addr)...)
			}
			body = append(body, entry{key, encodeString(nodes)})
		}
		body = append(body, entry{"token", encodeString([]byte(f.addr.String()))})
		if f.item != nil && Target(f.item.Key) == [20]byte(q.a.str("target")) {
			body = append(body, itemEntries(*f.item)...)
		}
	case "put":
		i := itemOf(q.a)
		stale := f.item != nil && f.item.Key == i.Key && f.item.Seq >= i.Seq && !f.item.same(&i)
		if string(q.a.str("token")) != f.addr.String() || !i.Genuine(i.Key) || stale {
			return failed(q, "li302e3:olde")
		}
		f.item = &i
	}
	return reply(q, body)
}

func compact(a netip.AddrPort) []byte {
	return binary.BigEndian.AppendUint16(a.Addr().AsSlice(), a.Port())
}

func itemEntries(i Item) []entry {
	return []entry{{"k", encodeString(i.Key[:])}, {"seq", encodeInt(i.Seq)},
		{"sig", encodeString(i.Sig[:])}, {"v", encodeString(i.Value)}}
}

func itemOf(a dict) Item {
	seq, _ := strconv.ParseInt(string(bytes.Trim(a.get("seq"), "ie")), 10, 64)
	return Item{[32]byte(a.str("k")), seq, a.str("v"), [64]byte(a.str("sig"))}
}

func encodeInt(v int64) []byte { return append(strconv.AppendInt([]byte("i"), v, 10), 'e') }

func reply(q sent, body dict) []byte {
	slices.SortFunc(body, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return dict{{"r", body.encode()}, {"t", q.d.get("t")}, {"y", []byte("1:r")}}.encode()
}

func failed(q sent, e string) []byte {
	return dict{{"e", []byte(e)}, {"t", q.d.get("t")}, {"y", []byte("1:e")}}.encode()
}

// questions returns what was asked so far, by name.
func (l *lab) questions(name string) []sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []sent
	for _, s := range l.sent {
		if string(s.d.str("q")) == name {
			out = append(out, s)
		}
	}
	return out
}

// labConn is a road's conn into the lab.
type labConn struct {
	lab    *lab
	in     chan delivery
	closed chan struct{}
	once   sync.Once
	broken chan struct{}
	late   sync.WaitGroup
}

func (c *labConn) Lost() <-chan struct{} { return c.broken }

func (c *labConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if !IsQuery(b) {
		c.lab.t.Errorf("sent what no gateway would carry: %q", b)
	}
	d, _ := parseDict(bytes.Clone(b))
	a, _ := parseDict(d.get("a"))
	q := sent{plainAddr(to.(*net.UDPAddr)), d, a}
	c.lab.mu.Lock()
	defer c.lab.mu.Unlock()
	c.lab.sent = append(c.lab.sent, q)
	if f := c.lab.nodes[q.to]; f != nil {
		for _, packet := range c.lab.answer(f, q) {
			c.say(packet, q.to)
		}
	}
	return len(b), nil
}

// say delivers a packet after a round trip. Its address has 16 bytes, as those of a socket do.
func (c *labConn) say(packet []byte, from netip.AddrPort) {
	u := &net.UDPAddr{IP: net.IP(from.Addr().AsSlice()).To16(), Port: int(from.Port())}
	go func() {
		select {
		case <-time.After(trip):
			c.in <- delivery{packet, u} // never full
		case <-c.closed:
		}
	}()
}

func (c *labConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-c.in:
		return copy(b, d.packet), d.from, nil
	case <-c.closed:
		return 0, nil, net.ErrClosed
	}
}

func (c *labConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *labConn) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (c *labConn) SetDeadline(time.Time) error      { return nil }
func (c *labConn) SetReadDeadline(time.Time) error  { return nil }
func (c *labConn) SetWriteDeadline(time.Time) error { return nil }

// owner makes items.
type owner struct{ priv ed25519.PrivateKey }

func newOwner(seed byte) owner {
	return owner{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32))}
}

func (o owner) key() [32]byte { return [32]byte(o.priv[32:]) }

func (o owner) item(seq int64, value string) Item {
	i := Item{Key: o.key(), Seq: seq, Value: []byte(value)}
	i.Sig = [64]byte(ed25519.Sign(o.priv, SigningBytes(seq, i.Value)))
	return i
}

// bubble runs f in fake time, on one processor: the library waits with time.After(0), and where two
// goroutines of a bubble look at expired timers at the same time, the race detector crashes.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, f)
}
