// Claims that need real nodes: a private DHT, and independent implementations.

//go:build e2e

package meet

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"

	"nightjar/audit/privnet/swarm"
	"nightjar/node/meet/relay"
	"nightjar/node/meet/walk"
)

// direct is a Carrier without a gateway: a fresh UDP socket for each road.
type direct []netip.AddrPort

func (d direct) Open(context.Context) (net.PacketConn, []netip.AddrPort, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	return c, d, err
}

func (d direct) Trip() Trip { return d }

func (d direct) Relay(context.Context) (*relay.Link, error) { return nil, relay.ErrRelay }

func start(t testing.TB, o swarm.Options) *swarm.Swarm {
	t.Helper()
	s, err := swarm.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// leftNothing checks that no goroutine is left of what ran since before was counted.
func leftNothing(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			b := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, were %d:\n%s", runtime.NumGoroutine(), before,
				b[:runtime.Stack(b, true)])
		}
	}
}

func TestContactsFindEachOtherEveryTime(t *testing.T) {
	s := start(t, swarm.Options{Nodes: 50})
	before := runtime.NumGoroutine()
	m := &Meeting{Carrier: direct(s.Addrs()[:8])}
	for n := range byte(100) {
		want := lasting(n)
		stored, err := m.Publish(t.Context(), fixed(n), Low, want)
		if err != nil || stored < 8 {
			t.Fatalf("stored at %d: %v", stored, err)
		}
		find(t, m, fixed(n), Low, want)
		if _, err := m.Find(t.Context(), fixed(n), High); !errors.Is(err, ErrNotFound) {
			t.Fatalf("the other side: %v", err)
		}
	}
	leftNothing(t, before)
}

func TestHalfTheNodesDie(t *testing.T) {
	s := start(t, swarm.Options{Nodes: 50})
	before := runtime.NumGoroutine()
	m := &Meeting{Carrier: direct(s.Addrs()[:8])}
	for n := range byte(20) {
		publish(t, m, fixed(n), Low, lasting(n))
	}
	for i := range 25 {
		s.Kill(2 * i)
		before--
	}
	lost := 0 // all eight holders of a record die in one of 500 cases
	for n := range byte(20) {
		got, err := m.Find(t.Context(), fixed(n), Low)
		if errors.Is(err, ErrNotFound) {
			lost++
		} else if err != nil || !reflect.DeepEqual(got, lasting(n)) {
			t.Fatalf("found %+v: %v", got, err)
		}
	}
	if lost > 1 {
		t.Fatalf("%d of 20 records are lost", lost)
	}
	for n := range byte(5) {
		publish(t, m, fixed(100+n), Low, lasting(n))
		find(t, m, fixed(100+n), Low, lasting(n))
	}
	leftNothing(t, before)
}

func TestManyInvitationsAtOnce(t *testing.T) {
	s := start(t, swarm.Options{Nodes: 30})
	m := &Meeting{Carrier: direct(s.Addrs()[:8])}
	var all sync.WaitGroup
	for b := range byte(3) {
		all.Go(func() { leave(t, m, fixed(1), b) })
	}
	all.Wait()
	for b := range byte(3) { // whoever was overwritten in the scramble leaves it again
		leave(t, m, fixed(1), b)
	}
	found := collect(t, m, fixed(1))
	if len(found) != 3 {
		t.Fatalf("%d of 3 invitations were found", len(found))
	}
}

func TestInvitationTravelsThroughTheDHT(t *testing.T) {
	s := start(t, swarm.Options{Nodes: 30})
	m := &Meeting{Carrier: direct(s.Addrs()[:3])}
	for n := range byte(5) {
		leave(t, m, fixed(n), n)
		if found := collect(t, m, fixed(n)); len(found) != 1 || !bytes.Equal(found[0], letter(n)) {
			t.Fatalf("%d found", len(found))
		}
	}
}

// observer keeps everything that any node sees.
type observer struct {
	mu   sync.Mutex
	seen []swarm.Query
}

func (o *observer) note(q swarm.Query) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, q)
}

func (o *observer) puts() []swarm.Query {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []swarm.Query
	for _, q := range o.seen {
		if q.Name == "put" {
			out = append(out, q)
		}
	}
	return out
}

// linked counts the keys, targets and node ids that came in more than one epoch.
func (o *observer) linked(epochOf func(time.Time) int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	epochs := make(map[string]map[int]bool)
	add := func(s string, q swarm.Query) {
		if epochs[s] == nil {
			epochs[s] = make(map[int]bool)
		}
		epochs[s][epochOf(q.At)] = true
	}
	for _, q := range o.seen {
		add("id"+string(q.ID[:]), q)
		if q.Name == "get" {
			add("target"+string(q.Target[:]), q)
		}
		if q.Name == "put" {
			target := walk.Target(q.Key)
			add("target"+string(target[:]), q)
		}
	}
	n := 0
	for _, in := range epochs {
		if len(in) > 1 {
			n++
		}
	}
	return n
}

func TestNodesCannotLinkTheSlotsOfAPair(t *testing.T) {
	var o, naive observer
	s := start(t, swarm.Options{Nodes: 30, OnQuery: o.note})
	now := time.Now()
	m := &Meeting{Carrier: direct(s.Addrs()[:8]), Now: func() time.Time { return now }}
	const pairs, epochs = 8, 4
	var turn []time.Time // when each epoch's doings began
	for range epochs {
		turn = append(turn, time.Now())
		for n := range byte(pairs) {
			publish(t, m, fixed(n), Low, lasting(n))
			find(t, m, fixed(n), Low, lasting(n))
		}
		<-time.After(500 * time.Millisecond) // nobody waits for the last questions, but they come
		now = now.Add(2 * epochLength)       // epochs that do not overlap
	}
	epochOf := func(at time.Time) int {
		n := 0
		for n+1 < len(turn) && !at.Before(turn[n+1]) {
			n++
		}
		return n
	}
	if n := o.linked(epochOf); n != 0 {
		t.Fatalf("%d things were seen in two epochs", n)
	}
	for _, q := range o.puts() {
		if len(q.Value) != 699 {
			t.Fatalf("a value of %d bytes", len(q.Value))
		}
	}
	// The naive variant has one key for each contact.
	m.Carrier = direct(start(t, swarm.Options{Nodes: 30, OnQuery: naive.note}).Addrs()[:8])
	turn = nil
	for e := range epochs {
		turn = append(turn, time.Now())
		for n := range byte(pairs) {
			stable := pairSlot(fixed(n), Low, 0)
			b := body(t, lasting(n))
			later := now.Add(time.Duration(e) * epochLength)
			err := m.road(t.Context(), m.Carrier.Trip(), func(r *walk.Road) error {
				always := func(*walk.Item) bool { return true }
				_, err := put(t.Context(), r, stable, b, later, new(int64), always)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(500 * time.Millisecond)
	}
	if n := naive.linked(epochOf); n != pairs {
		t.Fatalf("%d of %d naive contacts are linked: this test proves nothing", n, pairs)
	}
}

func TestStrangerFindsNothing(t *testing.T) {
	var o observer
	s := start(t, swarm.Options{Nodes: 30, OnQuery: o.note})
	m := &Meeting{Carrier: direct(s.Addrs()[:8])}
	publish(t, m, fixed(1), Low, lasting(1))
	for _, q := range o.puts() {
		i := walk.Item{Key: q.Key, Seq: q.Seq, Value: q.Value[4:], Sig: q.Sig}
		for n := range byte(50) {
			for _, side := range []Side{Low, High} {
				epoch := epochs.at(time.Now())
				if _, ok := pairSlot(fixed(2+n), side, epoch).open(i); ok {
					t.Fatal("opened with another pair's root")
				}
			}
		}
		own := pairSlot(fixed(1), Low, epochs.at(time.Now()))
		if _, ok := own.open(i); own.key() == q.Key && !ok {
			t.Fatal("the contact cannot open it: this test proves nothing")
		}
	}
	if _, err := m.Find(t.Context(), fixed(2), Low); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
}
