// The clock: when packets leave and how long they are says nothing.

package datagram

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A beat is what an observer sees of one packet.
type beat struct {
	at   time.Duration
	size int
}

// lives are what may go on in a session while it is watched.
var lives = map[string]func(ctx context.Context, c *contacts, a, b *Conn){
	"silence": func(context.Context, *contacts, *Conn, *Conn) {},
	"talk": func(_ context.Context, _ *contacts, a, _ *Conn) {
		for range 3000 {
			a.SendDatagram(make([]byte, 300))
			<-time.After(7 * time.Millisecond)
		}
	},
	"listening": func(_ context.Context, _ *contacts, _, b *Conn) {
		for range 3000 {
			b.SendDatagram(make([]byte, 1000))
			<-time.After(3 * time.Millisecond)
		}
	},
	"messages": func(ctx context.Context, _ *contacts, a, b *Conn) {
		for range 40 {
			a.SendMessage(ctx, make([]byte, 1000))
			b.SendMessage(ctx, make([]byte, 1000))
			b.ReceiveMessage(ctx)
		}
	},
	"a stream": func(ctx context.Context, _ *contacts, a, _ *Conn) {
		if s, err := a.OpenStream(ctx); err == nil {
			s.Write(make([]byte, 1<<20))
		}
	},
	"the far side's move": func(_ context.Context, c *contacts, _, b *Conn) {
		c.n.move(c.bEnd, place(40))
		c.eb.Moved()
		b.SendDatagram(make([]byte, 10))
	},
}

// watched is what leaves a for twenty seconds of a life, after it follows a shape.
func watched(t *testing.T, s Shape, life func(context.Context, *contacts, *Conn, *Conn)) (
	seen []beat) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		<-time.After(time.Second)
		a.SetShape(s)
		synctest.Wait()
		start := time.Now()
		log := c.n.record()
		var times []time.Time
		c.n.mu.Lock()
		c.n.watch = func(wire []byte, from, to netip.AddrPort) {
			if from == place(1) {
				log.watch(wire, from, to)
				times = append(times, time.Now())
			}
		}
		c.n.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second+time.Millisecond)
		defer cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			life(ctx, c, a, b)
		}()
		<-ctx.Done()
		synctest.Wait()
		for i, at := range times {
			seen = append(seen, beat{at.Sub(start), len(log.wires[i].wire)})
		}
		c.close()
		<-ended
	})
	return seen
}

func TestClockSaysNothing(t *testing.T) {
	for _, shape := range []Shape{Call(), {Every: 2 * time.Second, Size: 1232}} {
		want := watched(t, shape, lives["silence"])
		if len(want) != int(20*time.Second/shape.Every) {
			t.Fatal(len(want), "packets in twenty seconds")
		}
		for i, b := range want {
			if b.size != shape.Size || b.at != time.Duration(i+1)*shape.Every {
				t.Fatal("packet", i, "left at", b.at, "with", b.size, "bytes")
			}
		}
		for name, life := range lives {
			if got := watched(t, shape, life); !slices.Equal(got, want) {
				t.Error(name, "shows in the clock:", len(got), "packets instead of", len(want))
			}
		}
	}
}

// Cover leaves by chance, cut off, and by nothing else: with the same chance all lives look alike.
func TestCoverSaysNothing(t *testing.T) {
	cover := func() Shape {
		s := Cover()
		s.draw = rand.New(rand.NewPCG(3, 4)).ExpFloat64
		return s
	}
	want := watched(t, cover(), lives["silence"])
	for name, life := range lives {
		if got := watched(t, cover(), life); !slices.Equal(got, want) {
			t.Error(name, "shows in the cover:", len(got), "packets instead of", len(want))
		}
	}
	gaps := func(s Shape) map[time.Duration]bool {
		all := make(map[time.Duration]bool)
		seen := watched(t, s, lives["silence"])
		for i := 1; i < len(seen); i++ {
			all[seen[i].at-seen[i-1].at] = true
		}
		return all
	}
	constant := Cover()
	constant.draw = nil
	if n := len(gaps(cover())); n < 3 || len(gaps(constant)) != 1 {
		t.Error(n, "different gaps")
	}
	far := Cover()
	far.draw = func() float64 { return 9.9 }
	if seen := watched(t, far, lives["silence"]); len(seen) == 0 || seen[0].at > longestGap {
		t.Error("cover is not cut off:", seen)
	}
	far.draw = func() float64 { return 1000 }
	if seen := watched(t, far, lives["silence"]); len(seen) == 0 || seen[0].at != longestGap {
		t.Error("cover is not cut off:", seen)
	}
}

// Without a clock the same lives show.
func TestWithoutAClockTalkShows(t *testing.T) {
	want := watched(t, Shape{}, lives["silence"])
	for _, name := range []string{"talk", "messages", "a stream"} {
		if slices.Equal(watched(t, Shape{}, lives[name]), want) {
			t.Error("the test would not notice", name)
		}
	}
}

func TestDatagramsMessagesAndRenewalsCrossAClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		a.SetClock(40 * time.Millisecond)
		b.SetClock(40 * time.Millisecond)
		ended := make(chan struct{})
		go func() {
			for range 6000 {
				a.SendDatagram(make([]byte, 470))
				b.SendDatagram(make([]byte, 470))
				<-time.After(40 * time.Millisecond)
			}
			a.SendMessage(t.Context(), []byte("done"))
		}()
		came := 0
		go func() {
			defer close(ended)
			for {
				if _, err := b.ReceiveDatagram(t.Context()); err != nil {
					return
				}
				came++
			}
		}()
		if m, err := b.ReceiveMessage(t.Context()); string(m) != "done" {
			t.Error(err)
		}
		renewed := a.out.Count() < 5000
		c.close()
		<-ended
		if came < 6000*14/16 {
			t.Error(came, "of 6000 datagrams came")
		}
		if !renewed {
			t.Error("keys were not renewed within four minutes")
		}
	})
}

func TestCoverCarriesStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		a.SetShape(Cover())
		b.SetShape(Cover())
		go func() {
			if s, err := a.OpenStream(t.Context()); err == nil {
				s.Write([]byte("slowly"))
			}
		}()
		s, err := b.AcceptStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 6)
		if n, err := s.Read(got); string(got[:n]) != "slowly" {
			t.Error(n, err)
		}
	})
}
