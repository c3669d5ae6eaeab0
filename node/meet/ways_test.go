// Claims about relays: what they save, and what they cannot do.

package meet

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"nightjar/node/meet/relay"
)

// honest is a world with relays.
func honest(t *testing.T, nodes int, relays ...*liar) *world {
	w := newWorld(t, nodes)
	w.relays = append([]*liar{}, relays...)
	return w
}

func TestRelayStoresAndFindsWithoutAWalkOfOurs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		<-time.After(time.Hour) // away from the edge of an epoch
		w := honest(t, 8, &liar{})
		writer, reader := meeting(w, 0), meeting(w, 0)
		publish(t, writer, fixed(1), Low, lasting(1))
		find(t, reader, fixed(1), Low, lasting(1))
		if n := len(writer.Atlas.Seeds(99)); n != 0 {
			t.Fatalf("%d nodes are known: somebody walked", n)
		}
		if w.asked != 2 {
			t.Fatalf("%d requests", w.asked)
		}
	})
}

func TestRelayThatHidesARecordIsFoundOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		publish(t, meeting(w, 0), fixed(1), Low, lasting(1))
		w.relays = []*liar{{hides: true}}
		find(t, meeting(w, 0), fixed(1), Low, lasting(1))
		// The naive variant believes the relay.
		s := pairSlot(fixed(1), Low, epochs.at(time.Now()))
		m := meeting(w, 0)
		if _, err := m.getByRelay(t.Context(), w, s); !errors.Is(err, relay.ErrNotFound) {
			t.Fatalf("%v: this test proves nothing", err)
		}
	})
}

func TestRelayThatStoresNothingHidesARecordForOneTurnOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		<-time.After(time.Hour) // away from the edge of an epoch
		w := honest(t, 8, &liar{hides: true})
		m, reader := meeting(w, 0), meeting(newWorld(t, 0), 0)
		reader.Carrier = w
		publish(t, m, fixed(1), Low, lasting(1))
		if _, err := reader.Find(t.Context(), fixed(1), Low); !errors.Is(err, ErrNotFound) {
			t.Fatalf("%v: this test proves nothing", err)
		}
		<-time.After(time.Until(m.Due(fixed(1), Low)))
		publish(t, m, fixed(1), Low, lasting(1))
		find(t, reader, fixed(1), Low, lasting(1))
	})
}

func TestRelayThatReplaysIsBelievedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		s := pairSlot(fixed(1), Low, epochs.at(time.Now()))
		old := s.put(body(t, lasting(1)), s.seq(s.begin.Add(-time.Hour)))
		publish(t, meeting(w, 0), fixed(1), Low, lasting(2))
		w.relays = []*liar{{replays: map[string][]byte{
			"/" + relay.Name(s.key()): relay.Marshal(old)}}}
		m := meeting(w, 0)
		find(t, m, fixed(1), Low, lasting(1)) // what led nowhere is looked for again at once
		find(t, m, fixed(1), Low, lasting(2))
	})
}

func TestForgedAnswerOfARelayIsNoAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		publish(t, meeting(w, 0), fixed(1), Low, lasting(1))
		s := pairSlot(fixed(1), Low, epochs.at(time.Now()))
		forged := relay.Marshal(s.put(body(t, lasting(2)), 1<<52))
		forged[len(forged)-1] ^= 1
		w.relays = []*liar{{replays: map[string][]byte{"/" + relay.Name(s.key()): forged}}}
		find(t, meeting(w, 0), fixed(1), Low, lasting(1))
	})
}

func TestInvitationIsFoundThoughRelaysHideIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := honest(t, 8, &liar{hides: true})
		leave(t, meeting(w, 0), fixed(1), 1)
		found := collect(t, meeting(w, 0), fixed(1))
		if len(found) != 1 || !bytes.Equal(found[0], letter(1)) {
			t.Fatalf("%d found", len(found))
		}
	})
}

func TestSlotStoredByRelayThenByWalkKeepsItsOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := honest(t, 8, &liar{})
		m := meeting(w, 0)
		for n := range byte(6) { // each changes the record: it is stored at once
			publish(t, m, fixed(1), Low, lasting(n))
			find(t, meeting(w, 0), fixed(1), Low, lasting(n))
		}
		restarted := meeting(w, 0) // knows no seq of its own; the relay says that it is too old
		publish(t, restarted, fixed(1), Low, lasting(9))
		find(t, meeting(w, 0), fixed(1), Low, lasting(9))
	})
}

func TestDoubtsAreBounded(t *testing.T) {
	var d doubts
	now := time.Now()
	for i := range 3 * maxDoubts {
		d.note([32]byte{byte(i), byte(i >> 8)}, now)
	}
	if len(d.at) > maxDoubts {
		t.Fatalf("%d", len(d.at))
	}
}

func TestWrongClockIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, skew := range []time.Duration{0, 5 * time.Hour, -26 * time.Hour} {
			w := honest(t, 8, &liar{})
			m := meeting(w, skew)
			for n := range byte(clockLeast) {
				if d := m.ClockAhead(); d != 0 {
					t.Fatalf("%v after %d answers", d, n)
				}
				_, _ = m.Find(t.Context(), fixed(n), Low)
				if w.asked > 1 {
					break // at the edge of an epoch there are two
				}
			}
			for n := range byte(clockLeast) {
				_, _ = m.Find(t.Context(), fixed(100+n), Low)
			}
			if d := m.ClockAhead(); (d - skew).Abs() > time.Minute {
				t.Errorf("a clock that is ahead by %v seems ahead by %v", skew, d)
			}
		}
	})
}
