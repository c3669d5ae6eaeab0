// What strangers, replays and forgeries bring about: nothing.

package datagram

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/knock"
	"nightjar/tunnel/packet"
)

// A log keeps what crosses a network.
type log struct {
	mu    sync.Mutex
	wires []arrival
	to    []netip.AddrPort
}

func (l *log) watch(wire []byte, from, to netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wires = append(l.wires, arrival{slices.Clone(wire), from})
	l.to = append(l.to, to)
}

// toward is what was sent to an address.
func (l *log) toward(at netip.AddrPort) (wires [][]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, to := range l.to {
		if to == at {
			wires = append(wires, l.wires[i].wire)
		}
	}
	return wires
}

func (n *network) record() *log {
	l := &log{}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watch = l.watch
	return l
}

// A naive responder answers whatever it is sent.
func naiveAnswers(n *network, e *end) {
	buf := make([]byte, 2048)
	for {
		size, from, err := e.ReadFrom(buf)
		if err != nil {
			return
		}
		e.WriteTo(buf[:size], from)
	}
}

func TestStrangerHearsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		log := c.n.record()
		stranger, heard := place(66), c.n.end(place(66))
		naive := c.n.end(place(3))
		defer naive.Close()
		go naiveAnswers(c.n, naive)
		before := c.bKey.Agreed()
		for size := range 1400 {
			wire := make([]byte, size)
			rand.Read(wire)
			c.n.throw(wire, stranger, place(2))
		}
		c.n.throw(make([]byte, 1024), stranger, place(3))
		<-time.After(5 * time.Second)
		if len(log.toward(stranger)) != 1 || len(heard.in) != 1 {
			t.Error("a stranger heard", len(log.toward(stranger))-1, "answers; or nothing at all",
				"from one who answers everybody")
		}
		if c.bKey.Agreed() != before {
			t.Error("a stranger had a Diffie-Hellman done")
		}
		if a.Err() != nil || b.Err() != nil {
			t.Error("a stranger ended a session:", a.Err(), b.Err())
		}
	})
}

func TestUnknownCallerIsUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		defer c.close()
		other := newContacts(t)
		defer other.close()
		agreed := c.bKey.Agreed()
		wrong := c.b
		wrong.Root = other.b.Root
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if _, err := c.ea.Dial(ctx, wrong, place(2)); !errors.Is(err, tunnel.ErrUnanswered) {
			t.Error(err)
		}
		if c.bKey.Agreed() != agreed {
			t.Error("the wrong root had a Diffie-Hellman done")
		}
	})
}

func TestRemovedContactIsNotAnsweredFromThatMomentOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		defer c.close()
		var removed atomic.Bool
		var naive knock.Door // goes by its own list
		whole := false
		eb := New(c.n.end(place(3)), c.bKey, func() []tunnel.Peer {
			if removed.Load() {
				return nil
			}
			return []tunnel.Peer{c.a}
		})
		defer eb.Close()
		a, err := c.ea.Dial(t.Context(), c.b, place(3)) // the door has its list
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		naive.Take(make([]byte, knock.PieceSize), eb.self, eb.peers, time.Now())
		removed.Store(true)
		log := c.n.record()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := c.ea.Dial(ctx, c.b, place(3)); err == nil {
			t.Error("who was a contact a moment ago is answered")
		}
		for _, wire := range log.toward(place(3)) {
			if _, ok := naive.Take(wire, eb.self, eb.peers, time.Now()); ok {
				whole = true
			}
		}
		if !whole {
			t.Error("the naive way hears nothing either: this test proves nothing")
		}
	})
}

// Everything of a session, handshake and all, thrown again from elsewhere, in order and reversed.
func TestReplayFindsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		defer c.close()
		log := c.n.record()
		a, b := c.connect(t)
		for range 50 {
			a.SendDatagram([]byte("once"))
			if _, err := b.ReceiveDatagram(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		thief, before := place(66), c.bKey.Agreed()
		c.n.end(thief)
		all := log.toward(place(2))
		for range 3 {
			for _, wire := range all {
				c.n.throw(wire, thief, place(2))
			}
			slices.Reverse(all)
		}
		<-time.After(2 * time.Second)
		if n := len(log.toward(thief)); n != 0 {
			t.Error("replays were answered", n, "times")
		}
		if c.bKey.Agreed() != before {
			t.Error("a replay had a Diffie-Hellman done")
		}
		if _, ok := b.in.one(); ok {
			t.Error("a datagram arrived twice")
		}
		if len(c.eb.sessions()) != 1 {
			t.Error("replays made", len(c.eb.sessions())-1, "sessions")
		}
	})
}

// Who has seen a contact knock repeats that without end, faster than a contact may knock. The
// contact is heard all the same; at a door that counts what was there before it would not be.
func TestRepeatedKnocksKeepNobodyFromBeingHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		defer c.close()
		log := c.n.record()
		a, _ := c.connect(t)
		a.Close()
		var pieces [][]byte
		for _, wire := range log.toward(place(2)) {
			if len(wire) == knock.PieceSize {
				pieces = append(pieces, wire)
			}
		}
		var naive knock.Door
		refused := false
		for range 20 {
			whole := false
			for _, wire := range pieces[:2] {
				_, whole = naive.Take(wire, c.eb.self, c.eb.peers, time.Now())
			}
			refused = refused || !whole
		}
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for tick := time.NewTicker(10 * time.Millisecond); ; {
				select {
				case <-tick.C:
					c.n.throw(pieces[0], place(66), place(2))
					c.n.throw(pieces[1], place(66), place(2))
				case <-stop:
					return
				}
			}
		}()
		<-time.After(11 * time.Second)
		start := time.Now()
		if _, err := c.ea.Dial(t.Context(), c.b, place(2)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 3*c.n.delay {
			t.Error("the contact was heard after", took)
		}
		if !refused {
			t.Error("the attack does not work on a door that counts repetitions")
		}
	})
}

func TestEverythingOnTheWireLooksRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		defer c.close()
		log := c.n.record()
		for range 200 {
			a, b := c.connect(t)
			a.SendDatagram(bytes.Repeat([]byte{0}, 100))
			b.SendMessage(t.Context(), bytes.Repeat([]byte{0}, 700))
			a.Close()
			<-b.Done()
		}
		var all, heads, naive bytes.Buffer
		for i, w := range log.wires {
			if !packet.Sized(len(w.wire)) {
				t.Fatal("a packet has", len(w.wire), "bytes")
			}
			head := packet.IDSize // the id stays for an epoch, as an address does
			all.Write(w.wire[head:])
			heads.Write(w.wire[head : head+8])
			naive.Write(binary.BigEndian.AppendUint64(nil, uint64(i))) // a counter in the clear
		}
		if !incompressible(all.Bytes()) || !incompressible(heads.Bytes()) {
			t.Error("packets have a pattern")
		}
		if incompressible(naive.Bytes()) {
			t.Error("the test would not notice a pattern")
		}
	})
}

func incompressible(b []byte) bool {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	w.Write(b)
	w.Close()
	return out.Len() >= len(b)
}

func TestLossDelaysTheHandshakeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		defer c.close()
		c.n.weather(0.3, 0.3, 200*time.Millisecond)
		for range 10 {
			a, b := c.connect(t)
			if a.Binding() != b.Binding() {
				t.Fatal("the two have different sessions")
			}
			a.Close()
			b.Close()
			<-time.After(30 * time.Second) // or the contact's budget is spent
		}
		<-time.After(2 * proofTime)
		if n := len(c.eb.sessions()); n != 0 {
			t.Error(n, "sessions are left of tries whose answer came late")
		}
	})
}

func TestCrossingCallsEndInSessionsOfTheTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		defer c.close()
		var group sync.WaitGroup
		dial := func(e *Endpoint, p tunnel.Peer, at netip.AddrPort) {
			conn, err := e.Dial(t.Context(), p, at)
			if err != nil || conn.Peer() != p.Static {
				t.Error(err)
			}
		}
		group.Go(func() { dial(c.ea, c.b, place(2)) })
		group.Go(func() { dial(c.eb, c.a, place(1)) })
		group.Wait()
		one, err := c.ea.Accept(t.Context())
		two, err2 := c.eb.Accept(t.Context())
		if err != nil || err2 != nil || one.Peer() != c.b.Static || two.Peer() != c.a.Static {
			t.Error(err, err2)
		}
	})
}
