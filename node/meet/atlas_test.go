// Claims about what roads prove.

package meet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"nightjar/node/meet/walk"
)

// named is a world behind gateways that take turns.
type named struct {
	*world
	gateways []string
	turn     int
}

// namedConn knows its gateway.
type namedConn struct {
	net.PacketConn
	gateway string
}

func (c namedConn) Gateway() string { return c.gateway }

func (n *named) Trip() Trip { return n }

func (n *named) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	conn, seeds, err := n.world.Open(ctx)
	n.turn++
	return namedConn{conn, n.gateways[n.turn%len(n.gateways)]}, seeds, err
}

func TestNodesThatOneGatewayShowsAreNotPassedOn(t *testing.T) {
	for _, c := range []struct {
		gateways []string
		proves   bool
	}{{[]string{"one"}, false}, {[]string{""}, false}, {[]string{"one", "two"}, true}} {
		m := &Meeting{Carrier: &named{world: honest(t, 30), gateways: c.gateways}}
		for range 4 {
			err := m.road(t.Context(), m.Carrier.Trip(), func(r *walk.Road) error {
				defer m.learn(r)
				_, err := r.Get(t.Context(), [32]byte{1}, 0)
				if errors.Is(err, walk.ErrNotFound) {
					return nil
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if proven := len(m.Atlas.Seeds(99)) > 0; proven != c.proves {
			t.Errorf("gateways %q: proven is %v", c.gateways, proven)
		}
		if !c.proves && len(m.Atlas.Own(99)) == 0 {
			t.Errorf("gateways %q: nothing serves ourselves", c.gateways)
		}
	}
}
