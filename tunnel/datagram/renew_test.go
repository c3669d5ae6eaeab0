// Renewal: keys change under load and loss, and who stole the old ones is locked out.

package datagram

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/outlet"
	"nightjar/tunnel/packet"
)

// epochs counts the lanes that an endpoint knows.
func (e *Endpoint) epochs() int {
	e.lanes.mu.RLock()
	defer e.lanes.mu.RUnlock()
	found := make(map[*lane]bool)
	for _, l := range e.lanes.byID {
		found[l] = true
	}
	return len(found)
}

func (c *Conn) epochSince() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys.since
}

func TestUsedSessionsAreRenewedAndIdleOnesAreNot(t *testing.T) {
	for _, used := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c, a, b := newPair(t)
			defer c.close()
			c.n.weather(0.2, 0.2, 100*time.Millisecond)
			start := a.epochSince()
			for range 1000 {
				if used {
					a.SendDatagram([]byte("use"))
				}
				<-time.After(time.Second)
				if n := c.eb.epochs(); n > 2 {
					t.Fatal(n, "epochs are known at once")
				}
			}
			if a.Err() != nil || b.Err() != nil {
				t.Fatal(a.Err(), b.Err())
			}
			age := time.Since(a.epochSince())
			if used && age > renewAfter+time.Minute || !used && a.epochSince() != start {
				t.Error("used:", used, "age:", age)
			}
			if !used && (c.ea.epochs() != 1 || c.eb.epochs() != 1) {
				t.Error("old epochs are not forgotten")
			}
		})
	}
}

func TestNothingIsLostByARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		c.n.weather(0, 0, 30*time.Millisecond)
		const count = 20_000
		go func() {
			for i := range uint32(count) {
				a.SendDatagram(binary.BigEndian.AppendUint32(nil, i))
				<-time.After(20 * time.Millisecond)
			}
		}()
		came := make(map[uint32]bool)
		for len(came) < count {
			d, err := b.ReceiveDatagram(t.Context())
			if err != nil {
				t.Fatal(len(came), err)
			}
			if n := binary.BigEndian.Uint32(d); came[n] {
				t.Fatal(n, "came twice")
			} else {
				came[n] = true
			}
		}
	})
}

// A thief has all that the session keeps, at one moment.
func TestThiefOfTheStateIsLockedOutByTheNextRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		a.mu.Lock()
		stolen := *a.keys.session
		a.mu.Unlock()
		keys, _, err := newEpoch(&stolen)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		forge := func() (believed bool) {
			n++
			wire := forgery(t, keys, 1000*n)
			c.n.throw(wire, place(1), place(2))
			<-time.After(time.Second)
			for {
				d, ok := b.in.one()
				if !ok {
					return believed
				}
				believed = believed || string(d) == "forged"
			}
		}
		if !forge() {
			t.Error("the attack does not work, so it proves nothing")
		}
		start := a.epochSince()
		for a.epochSince().Equal(start) {
			a.SendDatagram([]byte("use"))
			<-time.After(time.Second)
		}
		<-time.After(2 * lateTime)
		if forge() {
			t.Error("the thief still speaks")
		}
		if a.Err() != nil || b.Err() != nil {
			t.Error(a.Err(), b.Err())
		}
	})
}

// forgery is a datagram under stolen keys, with a number that is ahead.
func forgery(t *testing.T, k outlet.Keys, ahead int) []byte {
	wire := make([]byte, 256)
	for range ahead {
		if err := k.Sealer.Seal(wire, k.IDs.At(0), packet.Datagram, []byte("forged")); err != nil {
			t.Fatal(err)
		}
	}
	return wire
}

func TestOldKeysAreTakenForUserDataAloneAndNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		a.mu.Lock()
		stolen := *a.keys.session
		a.mu.Unlock()
		keys, _, _ := newEpoch(&stolen)
		start := b.epochSince()
		for b.epochSince().Equal(start) {
			a.SendDatagram([]byte("use"))
			<-time.After(time.Second)
		}
		forgery(t, keys, 1000)
		bye := make([]byte, 256)
		keys.Sealer.Seal(bye, keys.IDs.At(0), packet.Control,
			packet.Frame{Type: packet.Bye}.Append(nil))
		c.n.throw(bye, place(66), place(2))
		<-time.After(time.Second)
		if at, _ := b.addr(); b.Err() != nil || at != place(1) {
			t.Error("old keys ended or moved the session:", b.Err())
		}
	})
}

func TestSessionThatIsNeverRenewedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		a.mu.Lock()
		a.keys.asked, _, _ = a.keys.session.Renew() // so that it never asks
		a.mu.Unlock()
		start := time.Now()
		for b.Err() == nil {
			a.SendDatagram([]byte("use"))
			<-time.After(time.Second)
		}
		took := time.Since(start)
		if !errors.Is(b.Err(), tunnel.ErrStale) || took > renewAfter+renewWithin+time.Minute {
			t.Error(b.Err(), took)
		}
	})
}

// The keys of a session that nobody uses grow old. Its next use must not be its end.
func TestFirstDatagramAfterIdleHoursIsHeardAndRenewsTheKeys(t *testing.T) {
	naive := func(k *keys, now time.Time) bool {
		return now.Sub(k.since) > renewAfter+renewWithin
	}
	for _, idle := range []time.Duration{8 * time.Minute, time.Hour} {
		for _, byResponder := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				c, a, b := newPair(t)
				defer c.close()
				if byResponder {
					a, b = b, a
				}
				start := a.epochSince()
				<-time.After(idle)
				a.mu.Lock()
				ends := naive(&a.keys, time.Now())
				a.mu.Unlock()
				if !ends {
					t.Error("a variant that counts from the keys' beginning lives as well")
				}
				a.SendDatagram([]byte("awake"))
				if d, err := b.ReceiveDatagram(t.Context()); string(d) != "awake" {
					t.Fatal(d, err)
				}
				<-time.After(30 * time.Second)
				if a.Err() != nil || b.Err() != nil {
					t.Fatal(idle, a.Err(), b.Err())
				}
				if a.epochSince() == start || b.epochSince() == start {
					t.Error("the keys are those of before")
				}
				b.SendDatagram([]byte("well"))
				if d, err := a.ReceiveDatagram(t.Context()); string(d) != "well" {
					t.Error(d, err)
				}
			})
		}
	}
}

func TestBrokenRulesEndTheSession(t *testing.T) {
	for name, m := range map[string][]byte{
		"empty":              {},
		"unknown":            {99},
		"renewal too soon":   append([]byte{askRenewal}, make([]byte, 1232)...),
		"answer to nothing":  append([]byte{answerRenewal}, make([]byte, 1136)...),
		"streams by whom":    {askStreams},
		"message too short":  {askRenewal, 1},
		"message far longer": bytes.Repeat([]byte{askRenewal}, 4000),
	} {
		synctest.Test(t, func(t *testing.T) {
			c, a, b := newPair(t)
			defer c.close()
			a.mu.Lock()
			a.sending[ours].Push(m)
			a.mu.Unlock()
			signal(a.wake)
			<-time.After(time.Second)
			if !errors.Is(b.Err(), tunnel.ErrRules) {
				t.Error(name, "gave", b.Err())
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		a.out.Send(packet.Control, []byte{0})
		<-time.After(time.Second)
		if !errors.Is(b.Err(), tunnel.ErrRules) {
			t.Error("no frame gave", b.Err())
		}
	})
}
