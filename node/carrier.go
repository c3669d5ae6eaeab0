// The road to the DHT: through a gateway, on a circuit of its own.

package node

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/onion"
)

const (
	gatewayTries = 3                // gateways asked before an operation is given up
	gatewayTime  = 40 * time.Second // for one gateway to be reached and to answer
)

// carrier opens the road to the DHT for one operation: a gateway chosen at random, on a circuit
// that nothing else uses.
type carrier struct{ node *Node }

// Open returns a packet conn that leaves at a gateway, and DHT nodes to begin with.
func (c *carrier) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	var gateways []card.Gateway
	var nodes []netip.AddrPort
	c.node.look(func(b *book.Book) {
		gateways = append(gateways, b.Gateways...)
		nodes = append(nodes, b.Nodes...)
	})
	if len(gateways) == 0 {
		return nil, nil, ErrNoGateway
	}
	rand.Shuffle(len(gateways), func(i, j int) {
		gateways[i], gateways[j] = gateways[j], gateways[i]
	})
	var last error
	for _, g := range gateways[:min(len(gateways), gatewayTries)] {
		conn, known, err := c.open(ctx, g)
		if err == nil {
			return conn, append(known, nodes...), nil
		}
		last = err
	}
	return nil, nil, last
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
