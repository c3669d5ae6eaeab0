// Claims about the choice of gateways and relays.
package node

import (
	"bufio"
	"context"
	"errors"
	"testing"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/onion"
)

// house returns a trip of a node that knows n gateways beside its own, none of which answers.
func (w *world) house(n int) (*trip, *person) {
	p := w.start(0, nil)
	for i := range n {
		g := card.Gateway{ID: p.Gateways()[0].ID, Port: uint16(100 + i)}
		if err := p.change(func(b *book.Book) error { b.AddGateway(g); return nil }); err != nil {
			w.t.Fatal(err)
		}
	}
	return (&carrier{node: p.Node}).Trip().(*trip), p
}

func TestOperationUsesNoGatewayTwiceWhileThereIsAnother(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first, p := w.house(5)
		seen := map[card.Gateway]bool{}
		for range 6 {
			seen[first.next(first.gateways()).Gateway] = true
		}
		if len(seen) != 6 {
			t.Errorf("6 gateways, %d used", len(seen))
		}
		first.next(first.gateways()) // there is no other: one of them again
		repeats := 0
		for range 50 { // the naive variant chooses at random each time
			naive := map[card.Gateway]bool{}
			for range 6 {
				fresh := (&carrier{node: p.Node}).Trip().(*trip)
				naive[fresh.next(fresh.gateways()).Gateway] = true
			}
			if len(naive) < 6 {
				repeats++
			}
		}
		if repeats == 0 {
			t.Error("chance does it as well: this test proves nothing")
		}
	})
}

func TestGatewayThatFailedIsAskedLast(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first, _ := w.house(3)
		bad := first.next(first.gateways()).Gateway
		first.note(bad, errors.New("failed"))
		last := card.Gateway{}
		second := first.carrier.Trip().(*trip)
		for range 4 {
			last = second.next(second.gateways()).Gateway
		}
		if last != bad {
			t.Error("it is asked before others")
		}
		<-time.After(gatewayRest + time.Minute)
		if first.resting(bad) != 0 {
			t.Error("it is never asked first again")
		}
	})
}

func TestRelayOnAnOnionServiceIsAskedByItsURL(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		one, p := w.house(0)
		path := w.net.Path()
		defer path.Close()
		l, err := path.Publish(t.Context(), onion.Service{Seed: [32]byte{99}, Port: 8080})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.AddRelay("http://" + l.ID() + ".onion:8080/pkarr/"); err != nil {
			t.Fatal(err)
		}
		if err := p.AddRelay("https://relay.example/"); err != nil { // not asked: no path to it
			t.Fatal(err)
		}
		asked := make(chan string, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			path, _ := r.ReadString('\n')
			host, _ := r.ReadString('\n')
			asked <- path[:len("GET /pkarr/")] + " " + host
		}()
		if n := len(one.relays()); n != 2 {
			t.Fatalf("%d relays", n)
		}
		for _, way := range one.relays() {
			if way.Port != 8080 {
				one.used[way.Gateway] = true
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		link, err := one.Relay(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer link.Stream.Close()
		_, _ = link.Get(ctx, [32]byte{1})
		if got := <-asked; got != "GET /pkarr/ Host: "+l.ID()+".onion:8080\r\n" {
			t.Errorf("asked for %q", got)
		}
	})
}
