// The ways to the DHT: through a gateway, on a circuit of its own.

package node

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/onion"
)

const (
	gatewayTries = 3                // gateways asked before an operation is given up
	gatewayTime  = 30 * time.Second // for one gateway to be reached and to answer
	gatewayRest  = 10 * time.Minute // how long one that failed is asked last

	proofTime = time.Hour      // between two answers that prove a gateway
	doubtTime = 24 * time.Hour // without an answer, and it is not proven any more
)

// carrier opens the ways to the DHT: each leads to a gateway chosen at random, on a circuit that
// nothing else uses. Gateways that failed lately are asked last.
type carrier struct {
	node *Node

	mu     sync.Mutex
	failed map[card.Gateway]time.Time
	since  map[card.Gateway]standing
}

// Trip begins an operation.
func (c *carrier) Trip() meet.Trip { return &trip{carrier: c, used: map[card.Gateway]bool{}} }

// trip is one operation: it uses no gateway twice while there is another.
type trip struct {
	*carrier

	mu   sync.Mutex
	used map[card.Gateway]bool
}

// leaving is a packet conn that knows the gateway it leaves at.
type leaving struct {
	*onion.PacketConn
	gateway string
}

// Gateway names the gateway's onion service: two ports of one are one gateway.
func (l leaving) Gateway() string { return l.gateway }

// Open returns a packet conn that leaves at a gateway, and DHT nodes to begin with.
func (t *trip) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	var conn leaving
	var nodes []netip.AddrPort
	err := t.through(ctx, t.gateways(), func(ctx context.Context, w way) (err error) {
		conn.PacketConn, nodes, err = t.open(ctx, w.Gateway)
		conn.gateway = w.ID
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return conn, t.node.seeds(nodes), nil
}

// A way is a gateway, or a relay: where it is, and what to say to it.
type way struct {
	card.Gateway        // of a relay outside of the path: its host name, and its port
	host, prefix string // of requests
	outside      bool   // it is no onion service
}

// relayHost is what we call every gateway in a request: its own name would say nothing new to it.
const relayHost = "gateway"

// gateways lists the gateways in the book.
func (t *trip) gateways() (out []way) {
	t.node.look(func(b *book.Book) {
		for _, g := range b.Roads() {
			out = append(out, way{Gateway: g, host: relayHost})
		}
	})
	return out
}

// through tries ways until f gets through one, at most gatewayTries.
func (t *trip) through(ctx context.Context, all []way, f func(context.Context, way) error) error {
	last := error(ErrNoGateway)
	for range min(gatewayTries, len(all)) {
		w := t.next(all)
		one, cancel := context.WithTimeout(ctx, gatewayTime)
		last = f(one, w)
		cancel()
		t.note(w.Gateway, last)
		if last == nil || ctx.Err() != nil {
			break
		}
	}
	return last
}

// next chooses one of the ways.
func (t *trip) next(all []way) way {
	t.mu.Lock()
	defer t.mu.Unlock()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	w := slices.MinFunc(all, func(a, b way) int {
		return cmp.Compare(t.cost(a.Gateway), t.cost(b.Gateway))
	})
	t.used[w.Gateway] = true
	return w
}

// cost is high for gateways to be asked last. Called with mu held.
func (t *trip) cost(g card.Gateway) int {
	n := t.resting(g)
	if t.used[g] {
		n += 2
	}
	return n
}

// note remembers how asking a gateway ended.
func (c *carrier) note(g card.Gateway, err error) {
	c.mu.Lock()
	if c.failed == nil {
		c.failed, c.since = map[card.Gateway]time.Time{}, map[card.Gateway]standing{}
	}
	delete(c.failed, g)
	if err != nil {
		c.failed[g] = time.Now()
	}
	s := c.since[g].after(err == nil, time.Now())
	c.since[g] = s
	c.mu.Unlock()
	if s.proven() || s.doubted() {
		_ = c.node.change(func(b *book.Book) error { // or the next time
			if s.proven() && b.Prove(g) || s.doubted() && b.Doubt(g) {
				return nil
			}
			return errUnchanged
		})
	}
}

// standing is how a gateway has done: what proved itself does not give way to what cards bring.
type standing struct {
	first time.Time // answer, as far as is known
	last  time.Time // answer or failure
	fails time.Time // the first failure since the last answer, or zero
}

// after is the standing after an operation.
func (s standing) after(answered bool, now time.Time) standing {
	if !answered {
		if s.last = now; s.fails.IsZero() {
			s.fails = now
		}
		return s
	}
	if s.first.IsZero() || s.doubted() {
		s.first = now
	}
	s.last, s.fails = now, time.Time{}
	return s
}

// proven reports whether it has answered now and some time ago.
func (s standing) proven() bool { return s.fails.IsZero() && s.last.Sub(s.first) >= proofTime }

// doubted reports whether it has not answered for long.
func (s standing) doubted() bool { return !s.fails.IsZero() && s.last.Sub(s.fails) >= doubtTime }

// resting is 1 for a gateway that failed lately, 0 for another.
func (c *carrier) resting(g card.Gateway) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.failed[g]; ok && time.Since(t) < gatewayRest {
		return 1
	}
	return 0
}

func (c *carrier) dial(ctx context.Context, g card.Gateway) (net.Conn, error) {
	return c.node.path.Dial(ctx, onion.Remote{ID: g.ID, Port: g.Port}, onion.NewIsolation())
}

func (c *carrier) open(ctx context.Context, g card.Gateway) (
	*onion.PacketConn, []netip.AddrPort, error) {
	stream, err := c.dial(ctx, g)
	if err != nil {
		return nil, nil, err
	}
	conn := onion.NewPacketConn(stream)
	nodes, err := conn.Nodes(ctx)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, nodes, nil
}
