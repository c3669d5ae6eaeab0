// The ways to the DHT: through a gateway, on a circuit of its own.

package node

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
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

// road is a packet conn that knows the gateway it leaves at.
type road struct {
	*onion.PacketConn
	gateway string
}

// Gateway names the gateway's onion service: two ports of one are one gateway.
func (r road) Gateway() string { return r.gateway }

// Open returns a packet conn that leaves at a gateway, and DHT nodes to begin with.
func (t *trip) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	var conn road
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

// Relay returns a link to a gateway that walks for us, or to a pkarr relay in the book.
func (t *trip) Relay(ctx context.Context) (*relay.Link, error) {
	l := new(relay.Link)
	err := t.through(ctx, t.relays(), func(ctx context.Context, w way) (err error) {
		l.Host, l.Prefix = w.host, w.prefix
		l.Stream, err = t.dial(ctx, w.Gateway)
		return err
	})
	return l, err
}

// A way is a gateway, or a relay: where it is, and what to say to it.
type way struct {
	card.Gateway
	host, prefix string
}

// relayHost is what we call every gateway in a request: its own name would say nothing new to it.
const relayHost = "gateway"

// gateways lists the gateways in the book.
func (t *trip) gateways() (out []way) {
	t.node.look(func(b *book.Book) {
		for _, g := range b.Roads() {
			out = append(out, way{g, relayHost, ""})
		}
	})
	return out
}

// relays lists who can walk for us: gateways, and pkarr relays on onion services. Others could be
// reached by exits of tor only, which a path does not use.
func (t *trip) relays() []way {
	out := t.gateways()
	var urls []string
	t.node.look(func(b *book.Book) { urls = b.Walkers() })
	for _, s := range urls {
		if w, ok := onionRelay(s); ok {
			out = append(out, w)
		}
	}
	return out
}

// onionRelay reads the URL of a relay on an onion service.
func onionRelay(s string) (way, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" {
		return way{}, false
	}
	id, ok := strings.CutSuffix(u.Hostname(), ".onion")
	port := uint64(80)
	if p := u.Port(); p != "" {
		port, err = strconv.ParseUint(p, 10, 16)
	}
	g := card.Gateway{ID: id, Port: uint16(port)}
	_, bad := card.ParseGateway(g.String())
	return way{g, u.Host, strings.TrimRight(u.EscapedPath(), "/")}, ok && err == nil && bad == nil
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
