// Changes of address: the session follows its far side, and nobody else.

package datagram

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel/packet"
)

// addr is where a session's packets go.
func (c *Conn) addr() (at netip.AddrPort, trying bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.path.Addr(), c.path.Trying()
}

// tracker sends a numbered datagram each 20 ms and notes when each came.
type tracker struct {
	sent []time.Time
	came map[uint32]bool
}

// track runs until stop closes.
func track(t *testing.T, from, to *Conn, stop chan struct{}) *tracker {
	k := &tracker{came: make(map[uint32]bool)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			b, err := to.ReceiveDatagram(t.Context())
			if err != nil || len(b) == 0 {
				return
			}
			k.came[binary.BigEndian.Uint32(b)] = true
		}
	}()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-stop:
			tick.Stop()
			<-time.After(time.Second)
			from.SendDatagram(nil)
			<-ended
			return k
		case <-tick.C:
			from.SendDatagram(binary.BigEndian.AppendUint32(nil, uint32(len(k.sent))))
			k.sent = append(k.sent, time.Now())
		}
	}
}

// A hundred changes of address, each after an outage of 300 ms in which nothing crosses: what is
// sent outside the outages and the way that a first packet takes arrives.
func TestHundredMovesLoseNothingBeyondTheOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		type span struct{ from, to time.Time }
		var outages []span
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			for i := range 100 {
				<-time.After(1700 * time.Millisecond)
				from := time.Now()
				c.n.weather(1, 0, 0)
				<-time.After(300 * time.Millisecond)
				c.n.move(c.aEnd, place(100+i))
				c.n.weather(0, 0, 0)
				c.ea.Moved()
				outages = append(outages, span{from.Add(-c.n.delay), time.Now()})
			}
		}()
		toB, toA := make(chan *tracker), make(chan *tracker)
		go func() { toB <- track(t, a, b, stop) }()
		go func() { toA <- track(t, b, a, stop) }()
		lost := func(k *tracker, slack time.Duration) (beyond, within int) {
			for n, at := range k.sent {
				if k.came[uint32(n)] {
					continue
				}
				if slices.ContainsFunc(outages, func(s span) bool {
					return !at.Before(s.from) && !at.After(s.to.Add(slack))
				}) {
					within++
				} else {
					beyond++
				}
			}
			return beyond, within
		}
		// b learns of the new address when the first packet from there has come.
		fromA, inA := lost(<-toB, 0)
		fromB, inB := lost(<-toA, c.n.delay+time.Millisecond)
		if fromA != 0 || fromB != 0 || inA == 0 || inB == 0 {
			t.Error(fromA, fromB, "lost beyond the outages;", inA, inB, "within")
		}
		if at, trying := b.addr(); at != place(199) || trying {
			t.Error("the session did not follow to the last address")
		}
	})
}

// newHijack is a session of which a thief sees every packet and stops those it wants.
func newHijack(t *testing.T) (c *contacts, a, b *Conn, log *log) {
	c = newContacts(t)
	log = c.n.record()
	a, b = c.connect(t)
	for range 20 {
		a.SendDatagram([]byte("x"))
		b.ReceiveDatagram(t.Context())
	}
	c.n.end(place(66))
	return c, a, b, log
}

// naiveSource is where a variant sends that believes the source of any packet, and naiveOpened
// where one does that believes any packet that opens, old ones that it has not seen included.
type naive struct{ source, opened netip.AddrPort }

func (n *naive) take(open func(wire []byte) bool, wire []byte, from netip.AddrPort) {
	n.source = from
	if open(wire) {
		n.opened = from
	}
}

func TestReplayNeverMovesTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, log := newHijack(t)
		defer c.close()
		var fool naive
		for _, wire := range log.toward(place(2)) {
			fool.take(func([]byte) bool { return false }, wire, place(66))
			c.n.throw(wire, place(66), place(2))
			forged := bytes.Clone(wire)
			forged[len(forged)-1] ^= 1
			c.n.throw(forged, place(66), place(2))
		}
		<-time.After(time.Second)
		if at, trying := b.addr(); at != place(1) || trying {
			t.Error("replayed or forged packets moved the session")
		}
		if fool.source != place(66) {
			t.Error("the attack does not work on a variant that believes every source")
		}
	})
}

// The thief holds one packet back and throws it later, when newer ones have come: it is genuine
// and was never seen, but it is old.
func TestOldPacketNeverMovesTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b, log := newHijack(t)
		defer c.close()
		var held []byte
		c.n.stopping(func(wire []byte, from, _ netip.AddrPort) bool {
			if held == nil && from == place(1) {
				held = bytes.Clone(wire)
				return true
			}
			return false
		})
		for range 10 {
			a.SendDatagram([]byte("newer"))
		}
		<-time.After(time.Second)
		for b.in.waiting() > 0 {
			b.in.one()
		}
		before := len(log.toward(place(66)))
		var fool naive
		c.n.throw(held, place(66), place(2))
		<-time.After(time.Second)
		_, came := b.in.one() // it opened, so a variant that moves for that is moved
		fool.take(func([]byte) bool { return came }, held, place(66))
		at, trying := b.addr()
		if at != place(1) || trying || len(log.toward(place(66))) != before {
			t.Error("an old packet moved the session")
		}
		if fool.opened != place(66) {
			t.Error("the attack does not work on a variant that believes what opens")
		}
	})
}

// The thief is faster than the network: it sends a fresh packet from its own address before it
// arrives, and takes what comes back, but cannot answer. The session is on trial there for a
// moment, and goes back by itself even if the far side says nothing more.
func TestForwardedPacketMovesTheSessionForAMomentOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b, _ := newHijack(t)
		defer c.close()
		c.n.stopping(func(wire []byte, from, to netip.AddrPort) bool {
			if from == place(1) {
				go c.n.throw(bytes.Clone(wire), place(66), to)
				return true
			}
			return false
		})
		a.SendDatagram([]byte("fresh"))
		<-time.After(100 * time.Millisecond)
		at, trying := b.addr()
		if at != place(66) || !trying {
			t.Error("the attack does not work, so it proves nothing")
		}
		c.n.stopping(nil)
		<-time.After(4 * time.Second)
		if at, trying = b.addr(); at != place(1) || trying {
			t.Error("the session stays with the thief")
		}
		if a.SendDatagram([]byte("y")); a.Err() != nil || b.Err() != nil {
			t.Error(a.Err(), b.Err())
		}
	})
}

func TestNextAddressIsNotLinkedByIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b, log := newHijack(t)
		defer c.close()
		ids := func(from netip.AddrPort) map[uint64]bool {
			seen := make(map[uint64]bool)
			log.mu.Lock()
			defer log.mu.Unlock()
			for i, w := range log.wires {
				if (w.from == from || log.to[i] == from) && len(w.wire) != 1024 {
					seen[packet.ID(w.wire)] = true
				}
			}
			return seen
		}
		c.n.move(c.aEnd, place(9))
		c.ea.Moved()
		for range 20 {
			<-time.After(100 * time.Millisecond)
			a.SendDatagram([]byte("x"))
			b.SendDatagram([]byte("y"))
		}
		old := ids(place(1))
		for id := range ids(place(9)) {
			if old[id] {
				t.Error("the same id was seen at both addresses")
			}
		}
	})
}

// Moves of a session that nobody uses, far apart and one after another: none may bear an id that
// was seen before. A variant that has four ids for an epoch, in turn, is linked.
func TestNoMoveSharesAnIDWithAnother(t *testing.T) {
	for _, gap := range []time.Duration{2 * time.Minute, time.Second} {
		for _, byResponder := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) { movesApart(t, gap, byResponder) })
		}
	}
}

func movesApart(t *testing.T, gap time.Duration, byResponder bool) {
	c, _, _ := newPair(t)
	defer c.close()
	end, e, far := c.aEnd, c.ea, place(2)
	if byResponder {
		end, e, far = c.bEnd, c.eb, place(1)
	}
	log, seen, four := c.n.record(), make(map[uint64]int), make(map[int]bool)
	for i := range 80 {
		<-time.After(gap)
		c.n.move(end, place(100+i))
		e.Moved()
		<-time.After(time.Second)
		wires := log.toward(far)
		id := packet.ID(wires[len(wires)-1])
		if before, twice := seen[id]; twice {
			t.Fatal("the id of move", before, "is that of move", i)
		}
		seen[id] = i
		four[i%4] = true // the number of the id that the variant has
	}
	if len(e.sessions()) != 1 {
		t.Error("the session ended:", len(e.sessions()))
	}
	if len(four) == len(seen) {
		t.Error("the test would not notice four ids in turn")
	}
}

// A far side that is not reached for a while is still recognised by it, after many moves.
func TestManyMovesUnheardDoNotEndTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		log := c.n.record()
		lastID := func() uint64 {
			<-time.After(time.Second)
			wires := log.toward(place(2))
			return packet.ID(wires[len(wires)-1])
		}
		b.SendDatagram([]byte("there"))
		if _, err := a.ReceiveDatagram(t.Context()); err != nil {
			t.Fatal(err)
		}
		for round := range 3 {
			c.n.weather(1, 0, 0)
			for i := range 200 {
				<-time.After(100 * time.Millisecond)
				c.n.move(c.aEnd, place(100+i))
				c.ea.Moved()
			}
			c.n.weather(0, 0, 0)
			a.SendDatagram([]byte{byte(round)})
			if d, err := b.ReceiveDatagram(t.Context()); err != nil || d[0] != byte(round) {
				t.Fatal(d, err)
			}
			<-time.After(10 * time.Second)
			before := lastID()
			if c.ea.Moved(); lastID() == before {
				t.Error("after an outage the next address has the id of the last")
			}
		}
		if a.Err() != nil || b.Err() != nil {
			t.Error(a.Err(), b.Err())
		}
	})
}
