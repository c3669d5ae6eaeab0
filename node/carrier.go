// The road to the DHT: through a gateway, on a circuit of its own.

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
	"nightjar/onion"
)

const (
	gatewayTries = 3                // gateways asked before an operation is given up
	gatewayTime  = 30 * time.Second // for one gateway to be reached and to answer
	gatewayRest  = 10 * time.Minute // how long one that failed is asked last
)

// carrier opens the road to the DHT for one operation: a gateway chosen at random, on a circuit
// that nothing else uses. Gateways that failed lately are asked last.
type carrier struct {
	node *Node

	mu     sync.Mutex
	failed map[card.Gateway]time.Time
}

// Open returns a packet conn that leaves at a gateway, and DHT nodes to begin with.
func (c *carrier) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	var gateways []card.Gateway
	var nodes []netip.AddrPort
	c.node.look(func(b *book.Book) {
		gateways = b.Roads()
		nodes = append(nodes, b.Nodes...)
	})
	if len(gateways) == 0 {
		return nil, nil, ErrNoGateway
	}
	rand.Shuffle(len(gateways), func(i, j int) {
		gateways[i], gateways[j] = gateways[j], gateways[i]
	})
	slices.SortStableFunc(gateways, func(a, b card.Gateway) int {
		return cmp.Compare(c.resting(a), c.resting(b))
	})
	var last error
	for _, g := range gateways[:min(len(gateways), gatewayTries)] {
		conn, known, err := c.open(ctx, g)
		c.note(g, err)
		if err == nil {
			return conn, append(known, nodes...), nil
		}
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		last = err
	}
	return nil, nil, last
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

func (c *carrier) open(ctx context.Context, g card.Gateway) (
	net.PacketConn, []netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, gatewayTime)
	defer cancel()
	stream, err := c.node.path.Dial(ctx, onion.Remote{ID: g.ID, Port: g.Port},
		onion.NewIsolation())
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
