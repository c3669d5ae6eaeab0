// Claims about the choice of gateways and relays.
package node

import (
	"bufio"
	"context"
	"errors"
	"slices"
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

func TestGatewayProvesItselfByAnswersAtTimesApart(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d) }
	s := standing{}.after(true, at(0)).after(true, at(time.Minute))
	if s.proven() {
		t.Error("two answers of one moment prove it")
	}
	s = s.after(false, at(30*time.Minute)).after(true, at(2*time.Hour))
	if !s.proven() || s.doubted() {
		t.Error("answers two hours apart do not prove it")
	}
	s = s.after(false, at(3*time.Hour)).after(false, at(20*time.Hour))
	if s.proven() || s.doubted() {
		t.Error("a bad night is enough to doubt it, or a failure proves it")
	}
	if s = s.after(false, at(28*time.Hour)); !s.doubted() {
		t.Error("it is not doubted after a day")
	}
	if s = s.after(true, at(29*time.Hour)); s.proven() {
		t.Error("one answer after a day of none proves it")
	}
}

// Strangers' cards bring as many gateways as they like; one that answers for hours stays.
func TestHostileCardsDoNotPushOutAGatewayThatAnswers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		one, p := w.house(0)
		good := card.Gateway{ID: p.Gateways()[0].ID, Port: 9}
		learn := func(g card.Gateway) {
			_ = p.change(func(b *book.Book) error { b.LearnGateway(g); return nil })
		}
		fill := func() (kept bool) {
			for i := range 4 * book.MaxGateways {
				learn(card.Gateway{ID: good.ID, Port: uint16(1000 + i)})
			}
			return slices.Contains(p.Gateways(), good)
		}
		learn(good)
		one.note(good, nil)
		if fill() {
			t.Error("one that answered once stays: this test proves nothing")
		}
		learn(good)
		<-time.After(2 * proofTime)
		one.note(good, nil)
		if !fill() {
			t.Error("one that answered twice has to go")
		}
		if own := p.Gateways()[0]; own == good {
			t.Error("what the user gave is gone")
		}
	})
}

func TestShortCardOfACodenameDoesNotShortenEarlierOnes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, p := w.house(0)
		p.head = true
		long := w.newCard(p, CardOptions{Bell: true})
		short := w.newCard(p, CardOptions{For: 2 * time.Hour})
		a, _ := card.Parse(long)
		b, err := card.Parse(short)
		if err != nil || a.Inbox != b.Inbox || time.Until(b.Expires) > 3*time.Hour {
			t.Fatalf("not two cards of one inbox, or the second is long: %v", err)
		}
		out := p.Cards()
		if len(out) != 1 || !out[0].Expires.Equal(a.Expires) || !out[0].Bell {
			t.Errorf("what is watched: %+v", out)
		}
		if b.Doorbell != (card.Gateway{}) {
			t.Error("a card without a doorbell names one")
		}
		now, _ := p.Card(false)
		if c, err := card.Parse(now); err != nil || !c.Expires.Equal(a.Expires) ||
			c.Doorbell != (card.Gateway{}) {
			t.Errorf("the card for everybody: %+v, %v", c, err)
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
