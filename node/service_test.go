// Claims about who can keep others from being heard.

package node

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/road"
	"nightjar/tunnel"
)

// silent is a tunnel that says nothing; heard is told when it is listened to.
type silent struct {
	tunnel.Tunnel
	who   byte
	heard chan<- byte
}

func (s silent) Peer() (k [32]byte) { k[0] = s.who; return k }
func (s silent) Close() error       { return nil }
func (s silent) AcceptStream(ctx context.Context) (net.Conn, error) {
	s.heard <- s.who
	<-ctx.Done()
	return nil, ctx.Err()
}

// doorway is a road on which tunnels come in.
type doorway struct {
	road.Road
	in chan tunnel.Tunnel
}

func (d doorway) Accept(ctx context.Context) (tunnel.Tunnel, error) {
	select {
	case t := <-d.in:
		return t, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// friendWaits is how long a friend's tunnel waits when many of such a number of hostile contacts
// have come before it.
func friendWaits(t *testing.T, hostile int, serve func(*Node, context.Context)) (d time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		in, heard := make(chan tunnel.Tunnel), make(chan byte, 1000)
		n := &Node{book: &book.Book{}, pairs: map[card.Address]pair{}, road: doorway{in: in}}
		ctx, cancel := context.WithCancel(t.Context())
		n.crew.start(ctx)
		n.crew.spawn(func(ctx context.Context) { serve(n, ctx) })
		go func() {
			for i := range 10 * newcomers {
				select {
				case in <- silent{who: byte(1 + i%hostile), heard: heard}:
				case <-ctx.Done():
				}
			}
		}()
		synctest.Wait()
		begin := time.Now()
		in <- silent{who: 0, heard: heard}
		for who := range heard {
			if who == 0 {
				break
			}
		}
		d = time.Since(begin)
		cancel()
		n.crew.stop()
	})
	return d
}

func TestContactDoesNotKeepOthersOut(t *testing.T) {
	if d := friendWaits(t, 5, (*Node).serve); d > time.Second {
		t.Errorf("five contacts keep a friend out for %v", d)
	}
	naive := func(n *Node, ctx context.Context) {
		seats := make(chan struct{}, newcomers)
		for {
			tun, err := n.road.Accept(ctx)
			if err != nil {
				return
			}
			select {
			case seats <- struct{}{}:
			case <-ctx.Done():
				return
			}
			first, cancel := context.WithTimeout(ctx, firstTime)
			n.crew.spawn(func(ctx context.Context) {
				n.admit(ctx, first, tun, func() { cancel(); <-seats })
			})
		}
	}
	if friendWaits(t, 5, naive) < firstTime {
		t.Error("the naive node hears the friend too: this test proves nothing")
	}
}
