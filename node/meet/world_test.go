// A small DHT in memory for the tests: every node knows all others.

package meet

import (
	"bufio"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"nightjar/node/meet/relay"
	"nightjar/node/meet/walk"
)

var errClosed = errors.New("the road is closed to us")

// world is a DHT, and the Carrier that leads to it.
type world struct {
	t     testing.TB
	nodes []*node

	mu     sync.Mutex
	roads  [][]sight // what the far end of each road saw
	closed int       // roads that were closed again
	shut   int       // so many roads fail to open

	breaks int  // so many roads are lost after some packets
	silent bool // nobody answers anything, relays neither

	relays []*liar // relays, each asked in turn; none: there are none
	asked  int     // requests for a relay
}

// liar is a relay that answers, or lies, as told.
type liar struct {
	hides   bool              // says that nothing is stored, and stores nothing but says it did
	replays map[string][]byte // path to payload: what it answers instead
}

// node is one node of the world. Its fields are guarded by the world's mu.
type node struct {
	addr   netip.AddrPort
	id     [20]byte
	items  map[[20]byte]krpc.Return
	kept   map[[20]byte]time.Time // since when; DHT nodes forget after two hours
	refuse bool                   // say no to puts
	stale  int                    // refuse so many puts, as if the token had expired
	dead   bool
}

// sight is one question as the far end of a road sees it.
type sight struct {
	at     time.Time
	name   string
	target [20]byte
	id     [20]byte
	seq    int64
	size   int
}

func newWorld(t testing.TB, n int) *world {
	w := &world{t: t}
	for i := range n {
		f := &node{addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 1}), 6881),
			id: sha1.Sum([]byte{byte(i)}), items: make(map[[20]byte]krpc.Return),
			kept: make(map[[20]byte]time.Time)}
		w.nodes = append(w.nodes, f)
	}
	return w
}

// Open implements Carrier.
func (w *world) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut > 0 {
		w.shut--
		return nil, nil, errClosed
	}
	w.roads = append(w.roads, nil)
	c := &worldConn{world: w, road: len(w.roads) - 1, in: make(chan packet, 4096),
		closed: make(chan struct{}), lost: make(chan struct{})}
	if w.breaks > 0 {
		w.breaks--
		c.left = 11
	}
	var seeds []netip.AddrPort
	for _, f := range w.nodes {
		seeds = append(seeds, f.addr)
	}
	return c, seeds, nil
}

// Trip implements Carrier.
func (w *world) Trip() Trip { return w }

// Relay implements Trip: the link leads to a real relay that walks in this world.
func (w *world) Relay(ctx context.Context) (*relay.Link, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if len(w.relays) == 0 {
		return nil, relay.ErrRelay
	}
	l := w.relays[w.asked%len(w.relays)]
	near, far := net.Pipe()
	if w.silent {
		go func() { _, _ = io.Copy(io.Discard, far) }()
		return &relay.Link{Stream: near, Host: "relay"}, nil
	}
	go l.serve(ctx, w, far)
	return &relay.Link{Stream: near, Host: "relay"}, nil
}

func (l *liar) serve(ctx context.Context, w *world, stream net.Conn) {
	if !l.hides && l.replays == nil {
		relay.NewServer(w.Open).Serve(ctx, stream)
		return
	}
	defer stream.Close()
	q, err := http.ReadRequest(bufio.NewReader(stream))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, q.Body)
	old := l.replays[q.URL.Path]
	switch {
	case q.Method == http.MethodPut:
		_, _ = io.WriteString(stream, "HTTP/1.1 204 OK\r\nPkarr-Dht-Stored-Nodes: 8\r\n\r\n")
	case old != nil:
		_, _ = fmt.Fprintf(stream, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(old), old)
	default:
		_, _ = io.WriteString(stream, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
	}
}

// answer is what node f says to m. Called with mu held.
func (w *world) answer(f *node, m krpc.Msg) krpc.Msg {
	token := f.addr.String()
	r := krpc.Return{ID: f.id}
	for _, other := range w.nodes[:min(16, len(w.nodes))] { // no answer names more
		ip := net.IP(other.addr.Addr().AsSlice())
		addr := krpc.NodeAddr{IP: ip, Port: 6881}
		r.Nodes = append(r.Nodes, krpc.NodeInfo{ID: other.id, Addr: addr})
	}
	r.Token = &token
	switch m.Q {
	case "get":
		kept, ok := f.items[m.A.Target]
		if ok && time.Since(f.kept[m.A.Target]) <= linger {
			r.Bep44Return = kept.Bep44Return
		}
	case "put":
		target := walk.Target(m.A.K)
		was, known := f.items[target]
		known = known && time.Since(f.kept[target]) <= linger
		if f.stale > 0 {
			f.stale--
			return krpc.Msg{T: m.T, Y: "e", E: &krpc.Error{Code: 203, Msg: "invalid token"}}
		}
		if f.refuse || m.A.Token != token || known && *was.Seq > *m.A.Seq {
			return krpc.Msg{T: m.T, Y: "e", E: &krpc.Error{Code: 302, Msg: "no"}}
		}
		f.kept[target] = time.Now()
		f.items[target] = krpc.Return{Bep44Return: krpc.Bep44Return{
			V: bencode.MustMarshal(m.A.V), K: m.A.K, Sig: m.A.Sig, Seq: m.A.Seq}}
	}
	return krpc.Msg{T: m.T, Y: "r", R: &r}
}

// put stores an item at every node, as whoever knows the slot's key could.
func (w *world) put(i walk.Item) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.nodes {
		f.items[walk.Target(i.Key)], f.kept[walk.Target(i.Key)] = itemReturn(i), time.Now()
	}
}

// targets returns what was asked for on each road.
func (w *world) targets() []map[[20]byte]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []map[[20]byte]bool
	for _, road := range w.roads {
		set := make(map[[20]byte]bool)
		for _, s := range road {
			set[s.target] = true
		}
		out = append(out, set)
	}
	return out
}

type packet struct {
	b    []byte
	from netip.AddrPort
}

// worldConn is one road's conn.
type worldConn struct {
	net.PacketConn
	world  *world
	road   int
	in     chan packet
	once   sync.Once
	closed chan struct{}
	lost   chan struct{}
	left   int // packets until it is lost; 0: it is not. Guarded by the world's mu
}

func (c *worldConn) Lost() <-chan struct{} { return c.lost }

func (c *worldConn) WriteTo(b []byte, to net.Addr) (int, error) {
	w := c.world
	var m krpc.Msg
	if err := bencode.Unmarshal(b, &m); err != nil || m.A == nil || !m.ReadOnly {
		w.t.Errorf("sent %q", b)
		return 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := sight{at: time.Now(), name: m.Q, target: m.A.Target, id: m.A.ID, size: len(b)}
	if m.Q == "put" {
		s.target, s.seq = walk.Target(m.A.K), *m.A.Seq
	}
	w.roads[c.road] = append(w.roads[c.road], s)
	if c.left == 1 {
		close(c.lost)
		c.left = -1
	}
	if c.left < 0 || w.silent {
		return len(b), nil
	}
	c.left = max(c.left-1, 0)
	for _, f := range w.nodes {
		if f.addr == to.(*net.UDPAddr).AddrPort() && !f.dead {
			c.in <- packet{bencode.MustMarshal(w.answer(f, m)), f.addr}
		}
	}
	return len(b), nil
}

func (c *worldConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-c.in:
		return copy(b, p.b), net.UDPAddrFromAddrPort(p.from), nil
	case <-c.closed:
		return 0, nil, net.ErrClosed
	}
}

func (c *worldConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.world.mu.Lock()
		c.world.closed++
		c.world.mu.Unlock()
	})
	return nil
}

func slotTarget(s *slot) [20]byte { return walk.Target(s.key()) }

func itemReturn(i walk.Item) krpc.Return {
	return krpc.Return{Bep44Return: krpc.Bep44Return{
		V: bencode.MustMarshal(string(i.Value)), K: i.Key, Sig: i.Sig, Seq: &i.Seq}}
}

// bubble runs f in fake time, on one processor: the library waits with time.After(0), and where two
// goroutines of a bubble look at expired timers at the same time, the race detector crashes.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, f)
}
