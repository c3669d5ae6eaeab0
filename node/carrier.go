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
	"nightjar/node/meet/relay"
	"nightjar/onion"
)

const (
	gatewayTries = 3                // gateways asked before an operation is given up
	gatewayTime  = 30 * time.Second // for one gateway to be reached and to answer
	gatewayRest  = 10 * time.Minute // how long one that failed is asked last
)

// carrier opens the ways to the DHT: each leads to a gateway chosen at random, on a circuit that
// nothing else uses. Gateways that failed lately are asked last.
type carrier struct {
	node *Node

	mu     sync.Mutex
	failed map[card.Gateway]time.Time
}

// Trip begins an operation.
func (c *carrier) Trip() meet.Trip { return &trip{carrier: c, used: map[card.Gateway]bool{}} }

// trip is one operation: it uses no gateway twice while there is another.
type trip struct {
	*carrier

	mu   sync.Mutex
	used map[card.Gateway]bool
}

// Open returns a packet conn that leaves at a gateway, and DHT nodes to begin with.
func (t *trip) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	var conn *onion.PacketConn
	var nodes []netip.AddrPort
	err := t.through(ctx, func(ctx context.Context, g card.Gateway) (err error) {
		conn, nodes, err = t.open(ctx, g)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return conn, t.node.seeds(nodes), nil
}

// Relay returns a link to a gateway that walks for us.
func (t *trip) Relay(ctx context.Context) (*relay.Link, error) {
	l := &relay.Link{Host: relayHost}
	err := t.through(ctx, func(ctx context.Context, g card.Gateway) (err error) {
		l.Stream, err = t.dial(ctx, g)
		return err
	})
	return l, err
}

// relayHost is what we call every gateway in a request: its own name would say nothing new to it.
const relayHost = "gateway"

// through tries gateways until f gets through one, at most gatewayTries.
func (t *trip) through(ctx context.Context, f func(context.Context, card.Gateway) error) error {
	last := error(ErrNoGateway)
	for range gatewayTries {
		g, ok := t.next()
		if !ok {
			break
		}
		one, cancel := context.WithTimeout(ctx, gatewayTime)
		last = f(one, g)
		cancel()
		t.note(g, last)
		if last == nil || ctx.Err() != nil {
			break
		}
	}
	return last
}

// next chooses a gateway.
func (t *trip) next() (g card.Gateway, ok bool) {
	var all []card.Gateway
	t.node.look(func(b *book.Book) { all = b.Roads() })
	if len(all) == 0 {
		return g, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	g = slices.MinFunc(all, func(a, b card.Gateway) int {
		return cmp.Compare(t.cost(a), t.cost(b))
	})
	t.used[g] = true
	return g, true
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
	defer c.mu.Unlock()
	if c.failed == nil {
		c.failed = map[card.Gateway]time.Time{}
	}
	delete(c.failed, g)
	if err != nil {
		c.failed[g] = time.Now()
	}
}

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
