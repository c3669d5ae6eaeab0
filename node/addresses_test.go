// Claims about nodes that meet by addresses, and about those that must never show one.

package node

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nightjar/node/book"
	"nightjar/node/bundle"
	"nightjar/node/card"
	"nightjar/node/road"
	"nightjar/node/talk"
	"nightjar/onion/inet"
)

// witness is a DHT node that tells who pings it its address.
func witness(t *testing.T, i *inet.Internet) netip.AddrPort {
	t.Helper()
	w := i.Way(inet.Open)
	pc, err := w.ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			at := from.(*net.UDPAddr).AddrPort()
			_, rest, ok := bytes.Cut(b[:n], []byte("1:t8:"))
			if !ok || len(rest) < 8 {
				continue
			}
			_, _ = pc.WriteTo(fmt.Appendf(nil, "d2:ip6:%s1:rd2:id20:%020de1:t8:%s1:y1:re",
				binary.BigEndian.AppendUint16(at.Addr().AsSlice(), at.Port()), 0, rest[:8]), from)
		}
	}()
	return netip.AddrPortFrom(w.Addr(), 1025)
}

// settle lets the i-th identity work on a machine of its own behind such a NAT.
func (w *world) settle(i int, phone Phone, k inet.NAT) *person {
	w.t.Helper()
	ids, err := vaults()
	if err != nil {
		w.t.Fatal(err)
	}
	way := w.inet.Way(k)
	n, err := New(Config{Identity: ids[i], Packets: way, Meeting: w.dht})
	if err != nil {
		w.t.Fatal(err)
	}
	if phone != nil {
		n.SetPhone(phone)
	}
	if err := n.change(func(b *book.Book) error {
		for _, a := range w.nodes {
			b.AddNode(a)
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return w.run(&person{Node: n, id: ids[i], way: way}, way)
}

func TestNodeHasOneWayOut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids, err := vaults()
		if err != nil {
			t.Fatal(err)
		}
		way, path := inet.New().Way(inet.Open), w.net.Path()
		for _, c := range []Config{{Identity: ids[0]},
			{Identity: ids[0], Path: path, Packets: way}} {
			if _, err := New(c); err != ErrWay {
				t.Errorf("%v", err)
			}
		}
	})
}

// shownAddresses counts the addresses that people on a path show in what they publish, seal and
// hand out.
func shownAddresses(t *testing.T, of func(road.Road) road.Road) (shown int) {
	inWorld(t, func(t *testing.T, w *world) {
		w.road = of
		desk, source := w.start(0, nil), w.start(1, nil)
		name := w.invite(desk, source)
		for _, r := range desk.hints(t) {
			shown += len(r.At)
		}
		if err := desk.Accept(name, "source"); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Hour)
		w.dht.mu.Lock()
		for _, r := range w.dht.slots {
			shown += len(r.At)
		}
		w.dht.mu.Unlock()
		line, err := source.NewCard(CardOptions{Full: true})
		if err != nil {
			t.Fatal(err)
		}
		c, err := card.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		file, err := source.ExportBundle()
		if err != nil {
			t.Fatal(err)
		}
		b, err := bundle.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		shown += len(c.Nodes) + len(b.Nodes)
	})
	return shown
}

// hints are the records that came to p in invitations.
func (p *person) hints(t *testing.T) (out []card.Reach) {
	p.look(func(b *book.Book) {
		for _, c := range b.Contacts {
			var r card.Reach
			if len(c.Hint) > 0 && r.UnmarshalBinary(c.Hint) != nil {
				t.Error("a hint that is no record")
			}
			out = append(out, r)
		}
	})
	return out
}

// leaky is the naive variant: it says where it is, so that others reach it sooner.
type leaky struct{ road.Road }

func (l leaky) Reach(seat uint16) (card.Reach, error) {
	r, err := l.Road.Reach(seat)
	at := []netip.AddrPort{netip.MustParseAddrPort("203.0.113.9:4000")}
	return card.Reach{At: at, Expires: r.Expires}, err
}

func TestPathShowsNoAddress(t *testing.T) {
	same := func(r road.Road) road.Road { return r }
	if n := shownAddresses(t, same); n != 0 {
		t.Errorf("%d addresses are shown by identities on a path", n)
	}
	if shownAddresses(t, func(r road.Road) road.Road { return leaky{r} }) == 0 {
		t.Error("the naive variant shows none either: this test proves nothing")
	}
}

func TestPathDialsNoAddressAndAddressesNoService(t *testing.T) {
	for _, by := range []string{"path", "addresses"} {
		inWorld(t, func(t *testing.T, w *world) {
			w.inet = inet.New()
			for range 3 {
				w.nodes = append(w.nodes, witness(t, w.inet))
			}
			there := w.inet
			if by == "path" {
				w.inet = nil
			}
			desk, source := w.start(0, nil), w.start(1, nil)
			w.befriend(desk, source)
			desk.stop()
			w.await(source, EventLost)
			pr := source.pairOf(t, "desk")
			other := card.Reach{Expires: time.Now().Add(100 * time.Hour),
				At: []netip.AddrPort{netip.MustParseAddrPort("20.200.0.1:1025")}}
			if by == "addresses" {
				other.At, other.Service, other.Port = nil, strings.Repeat("a", 56), 1
			}
			w.dht.mu.Lock()
			w.dht.slots[slot(pr.peer.Root, pr.theirs)] = other
			w.dht.mu.Unlock()
			circuits := w.net.Circuits()
			source.Check()
			for e := range source.feed {
				if strings.Contains(e.Text, "by another way") {
					break
				}
			}
			<-time.After(time.Hour)
			if w.net.Circuits() != circuits || by == "path" && there.Sent() != 0 {
				t.Errorf("by %s: something was tried", by)
			}
		})
	}
}

func TestTwoAtHomeBehindNATsFindEachOther(t *testing.T) {
	onInternet(t, func(t *testing.T, w *world) {
		desk, source := w.settle(0, nil, inet.Home), w.settle(1, nil, inet.Home)
		name := w.invite(desk, source)
		begin := time.Now()
		if err := desk.Accept(name, "source"); err != nil {
			t.Fatal(err)
		}
		w.await(desk, EventConnected)
		w.await(source, EventConnected)
		if took := time.Since(begin); took > 20*time.Minute {
			t.Errorf("it took %v", took)
		}
		desk.stop()
		w.await(source, EventLost)
		<-time.After(5 * time.Hour) // source knocks seldom now
		begin = time.Now()
		desk = w.settle(0, nil, inet.Home)
		w.await(desk, EventConnected)
		t.Log("after five hours away:", time.Since(begin))
		// Source has to look into the DHT first: the longest wait between two looks, and a moment.
		if took := time.Since(begin); took > 2*time.Hour+10*time.Minute {
			t.Errorf("after five hours away it took %v", took)
		}
	})
}

// Behind NATs both get through at the same time, since neither does before.
func TestBothKnockingAtOnceEndsInOneSession(t *testing.T) {
	onInternet(t, func(t *testing.T, w *world) {
		desk, source := w.settle(0, nil, inet.Home), w.settle(1, nil, inet.Home)
		w.befriend(desk, source)
		of := func(p *person, contact string) *link { return p.linkTo(p.addressOf(t, contact)) }
		for range 6 {
			<-time.After(3 * crossing)
			a, b := of(desk, "source"), of(source, "desk")
			if a == nil || b == nil || a.tun.Binding() != b.tun.Binding() {
				t.Fatal("each has a session of its own, or none")
			}
			if _, err := source.Send(t.Context(), "desk", "by which?"); err != nil {
				t.Fatal(err)
			}
			w.await(source, EventDelivered)
			_ = a.tun.Close()
			w.await(desk, EventConnected)
			w.await(source, EventConnected)
		}
	})
}

func TestAddressThatChangesCostsNoTextAndNoCall(t *testing.T) {
	onInternet(t, func(t *testing.T, w *world) {
		phone := newFakePhone()
		desk, source := w.settle(0, phone, inet.Open), w.settle(1, nil, inet.Home)
		w.befriend(desk, source)
		<-time.After(2 * time.Minute) // dials that crossed have settled
		l := source.linkTo(source.addressOf(t, "desk"))
		for i := range 20 {
			if _, err := source.Send(t.Context(), "desk", fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
			source.way.Move()
			if i%2 == 0 {
				source.Moved()
			}
			if got := <-phone.texts; got != fmt.Sprint(i) {
				t.Fatalf("text %d is %q", i, got)
			}
			<-time.After(10 * time.Second)
		}
		if source.linkTo(source.addressOf(t, "desk")) != l {
			t.Error("the link was given up")
		}
		c, err := source.Dial(t.Context(), "desk", []talk.Codec{talk.Opus})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			<-c.Events()
		}
		<-time.After(5 * time.Second)
		go func() {
			for i := range 500 {
				<-time.After(20 * time.Millisecond)
				_ = c.Send(talk.Frame{Seq: uint16(i), Payload: make([]byte, 60)})
				if i%100 == 50 {
					source.way.Move()
					source.Moved()
				}
			}
			<-time.After(time.Second)
			_ = c.End(talk.Hangup)
		}()
		came := 0
		for range c.Frames() {
			came++
		}
		if t.Log(came, "of 500 frames came back"); came < 450 {
			t.Errorf("%d of 500 frames came back", came)
		}
	})
}

func TestExplanationFitsTheWay(t *testing.T) {
	words := map[string]string{}
	for _, by := range []string{"services", "addresses"} {
		run := inWorld
		if by == "addresses" {
			run = onInternet
		}
		run(t, func(t *testing.T, w *world) {
			desk, source := w.start(0, nil), w.start(1, nil)
			w.befriend(desk, source)
			steps, err := source.Explain("desk")
			if err != nil {
				t.Fatal(err)
			}
			words[by] = fmt.Sprint(steps)
		})
	}
	for _, of := range []string{"gateway that", "onion service", "circuit"} {
		if strings.Contains(words["addresses"], of) || !strings.Contains(words["services"], of) {
			t.Errorf("%q is told of the wrong way", of)
		}
	}
	if !strings.Contains(words["addresses"], "that it is you, and the address of the way out") {
		t.Error("it is not said that the contact learns the address")
	}
}

func TestDoorbellNeedsAnOnionService(t *testing.T) {
	onInternet(t, func(t *testing.T, w *world) {
		if _, err := w.start(0, nil).NewCard(CardOptions{Bell: true}); err != ErrNoBell {
			t.Error(err)
		}
	})
}

func TestUnknownAddressIsSaidInWords(t *testing.T) {
	onInternet(t, func(t *testing.T, w *world) {
		p := w.settle(0, nil, inet.Strict)
		<-time.After(time.Minute)
		s := p.Status()
		if s.Reachable || !strings.Contains(strings.Join(s.Warnings, " "), "cannot call in") {
			t.Errorf("%+v", s)
		}
		q := w.settle(1, nil, inet.Home)
		w.await(q, EventReachable)
		if s := q.Status(); !s.Reachable || len(s.Warnings) != 0 {
			t.Errorf("%+v", s)
		}
	})
}
