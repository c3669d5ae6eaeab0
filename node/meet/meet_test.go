// Claims about meeting.

package meet

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"nightjar/node/card"
)

// meeting is a Meeting in a world, with a clock that is wrong by skew.
func meeting(w *world, skew time.Duration) *Meeting {
	return &Meeting{Carrier: w, Now: func() time.Time { return time.Now().Add(skew) }}
}

// lasting is a reach record that does not expire during a test.
func lasting(auth byte) card.Reach {
	r := reach()
	r.Auth, r.Expires = fixed(auth), time.Now().Add(48*time.Hour).Truncate(time.Hour).UTC()
	return r
}

func publish(t *testing.T, m *Meeting, root [32]byte, s Side, r card.Reach) {
	t.Helper()
	if n, err := m.Publish(t.Context(), root, s, r); err != nil || n < MinStores {
		t.Fatalf("stored at %d: %v", n, err)
	}
}

func find(t *testing.T, m *Meeting, root [32]byte, s Side, want card.Reach) {
	t.Helper()
	if got, err := m.Find(t.Context(), root, s); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("found %+v: %v", got, err)
	}
}

func TestWhatOneSidePublishesTheOtherFinds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		m := meeting(w, 0)
		low, high := lasting(1), lasting(2)
		publish(t, m, fixed(1), Low, low)
		publish(t, m, fixed(1), High, high)
		find(t, m, fixed(1), Low, low)
		find(t, m, fixed(1), High, high)
		if _, err := m.Find(t.Context(), fixed(2), Low); !errors.Is(err, ErrNotFound) {
			t.Fatalf("another pair: %v", err)
		}
		if w.closed != len(w.roads) {
			t.Fatalf("%d roads were opened, %d closed", len(w.roads), w.closed)
		}
	})
}

func TestNewestRecordIsFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		m := meeting(w, 0)
		for n := range byte(5) { // all within one step of ten minutes
			publish(t, m, fixed(1), Low, lasting(n))
			find(t, m, fixed(1), Low, lasting(n))
		}
		m = meeting(w, -20*time.Minute) // the clock was set back
		publish(t, m, fixed(1), Low, lasting(9))
		find(t, m, fixed(1), Low, lasting(9))
	})
}

func TestReplayedOlderRecordLoses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		m := meeting(w, 0)
		s := pairSlot(fixed(1), Low, epochs.at(time.Now()))
		old, fresh := lasting(1), lasting(2)
		publish(t, m, fixed(1), Low, fresh)
		replayed := s.put(body(t, old), s.seq(s.begin.Add(-time.Hour)))
		for i, f := range w.nodes {
			if i > 0 { // one node keeps the newest, the others were made to forget it
				f.items[slotTarget(s)] = itemReturn(replayed)
			}
		}
		find(t, m, fixed(1), Low, fresh)
	})
}

func TestClocksMayDifferByHalfAnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, skew := range []time.Duration{-overlap, 0, overlap} {
			w := newWorld(t, 8)
			writer, reader := meeting(w, skew), meeting(w, 0)
			<-time.After(time.Hour)
			n := byte(0) // each record differs from the last in more than its expiry
			for end := time.Now().Add(14 * time.Hour); time.Now().Before(end); n++ {
				r := lasting(n)
				publish(t, writer, fixed(1), Low, r)
				for next := writer.Due(fixed(1), Low).Add(-skew); time.Now().Before(next); {
					find(t, reader, fixed(1), Low, r)
					<-time.After(min(10*time.Minute, time.Until(next)))
				}
			}
		}
	})
}

func TestExpiredRecordIsNotFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		r := lasting(1)
		r.Expires = time.Now().Add(time.Hour)
		publish(t, meeting(w, 0), fixed(1), Low, r)
		if _, err := meeting(w, 0).Find(t.Context(), fixed(1), Low); err != nil {
			t.Fatal(err)
		}
		<-time.After(100 * time.Minute)
		if _, err := meeting(w, 0).Find(t.Context(), fixed(1), Low); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
	})
}

func TestFewStoresAreTriedAgainAndReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 10)
		for _, f := range w.nodes[3:] {
			f.refuse = true
		}
		n, err := meeting(w, 0).Publish(t.Context(), fixed(1), Low, lasting(1))
		if !errors.Is(err, ErrFewStores) || n < 1 || n > 3 {
			t.Fatalf("stored at %d: %v", n, err)
		}
		tries := make(map[[20]byte]int)
		for _, road := range w.targets() {
			if len(road) != 1 {
				t.Fatalf("%d slots on one road", len(road))
			}
			for target := range road {
				tries[target]++
			}
		}
		for _, n := range tries {
			if n != 2 {
				t.Fatalf("tried %d times", n)
			}
		}
	})
}

func TestSmallNetworkIsEnough(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 2)
		n, err := meeting(w, 0).Publish(t.Context(), fixed(1), Low, lasting(1))
		if err != nil || n != 2 {
			t.Fatalf("stored at %d: %v", n, err)
		}
	})
}

func TestNoNodesIsSaid(t *testing.T) {
	bubble(t, func(t *testing.T) {
		empty, dead := newWorld(t, 0), newWorld(t, 4)
		for _, f := range dead.nodes {
			f.dead = true
		}
		for _, w := range []*world{empty, dead} {
			m := meeting(w, 0)
			_, a := m.Publish(t.Context(), fixed(1), Low, lasting(1))
			_, b := m.Find(t.Context(), fixed(1), Low)
			_, c := m.Leave(t.Context(), fixed(1), make([]byte, card.SealedSize))
			_, d := m.Collect(t.Context(), fixed(1))
			for _, err := range []error{a, b, c, d} {
				if !errors.Is(err, ErrNoNodes) {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestFailureToOpenARoadIsPassedOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		w.shut = 99
		_, err := meeting(w, 0).Publish(t.Context(), fixed(1), Low, lasting(1))
		if !errors.Is(err, errClosed) {
			t.Fatal(err)
		}
	})
}

func TestSlotOfOnePairNeverSharesARoadWithAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		m := meeting(w, 0)
		edge := epochs.begin(epochs.at(time.Now()) + 1)
		<-time.After(time.Until(edge.Add(-overlap / 2))) // two epochs at once
		publish(t, m, fixed(1), Low, lasting(1))
		find(t, m, fixed(1), Low, lasting(1))
		<-time.After(time.Until(m.Due(fixed(1), Low)))
		publish(t, m, fixed(1), Low, lasting(1))
		publish(t, m, fixed(1), Low, lasting(3)) // a new record goes into both at once
		publish(t, m, fixed(1), High, lasting(2))
		seen := make(map[[20]byte]bool)
		for _, road := range w.targets() {
			if len(road) != 1 {
				t.Fatalf("%d slots on one road", len(road))
			}
			for target := range road {
				seen[target] = true
			}
		}
		if len(seen) != 3 {
			t.Fatalf("%d slots", len(seen))
		}
	})
}

func TestSlotThatCannotBeWrittenIsSaid(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		s := pairSlot(fixed(1), Low, epochs.at(time.Now()))
		w.put(s.put(body(t, lasting(1)), 1<<63-1))
		_, err := meeting(w, 0).Publish(t.Context(), fixed(1), Low, lasting(2))
		if !errors.Is(err, ErrTaken) {
			t.Fatal(err)
		}
	})
}

// letter is an invitation as Meeting sees it.
func letter(b byte) []byte { return bytes.Repeat([]byte{b}, card.SealedSize) }

func collect(t *testing.T, m *Meeting, inbox [32]byte) [][]byte {
	t.Helper()
	found, err := m.Collect(t.Context(), inbox)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(found, bytes.Compare)
	return found
}

func leave(t *testing.T, m *Meeting, inbox [32]byte, b byte) {
	t.Helper()
	if n, err := m.Leave(t.Context(), inbox, letter(b)); err != nil || n < MinStores {
		t.Fatalf("stored at %d: %v", n, err)
	}
}

func TestInvitationsAreCollected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		m := meeting(w, 0)
		if found := collect(t, m, fixed(1)); len(found) != 0 {
			t.Fatalf("%d in an empty inbox", len(found))
		}
		for b := range byte(4) {
			leave(t, m, fixed(1), b)
			leave(t, m, fixed(1), b) // renewed, not doubled
		}
		found := collect(t, m, fixed(1))
		if len(found) != 4 || !bytes.Equal(found[3], letter(3)) {
			t.Fatalf("%d found", len(found))
		}
		if found := collect(t, m, fixed(2)); len(found) != 0 {
			t.Fatalf("%d in another inbox", len(found))
		}
		for _, road := range w.targets() {
			if len(road) > perRoad {
				t.Fatalf("%d operations on one road", len(road))
			}
		}
	})
}

func TestFullInboxStillTakesOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		m := meeting(w, 0)
		for b := range byte(9) {
			leave(t, m, fixed(1), b)
		}
		found := collect(t, m, fixed(1))
		if !slices.ContainsFunc(found, func(b []byte) bool { return b[0] == 8 }) {
			t.Fatal("the last is not there")
		}
	})
}

func TestOverwrittenCopySurvives(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		m := meeting(w, 0)
		leave(t, m, fixed(1), 1)
		for i := range perRoad { // whoever holds the card overwrites half of the inbox
			day := days.at(time.Now())
			s := inboxSlot(fixed(1), day, orderOf(letter(1))[i])
			w.put(s.put(letter(9), s.seq(time.Now())+1<<30))
		}
		found := collect(t, m, fixed(1))
		if !slices.ContainsFunc(found, func(b []byte) bool { return b[0] == 1 }) {
			t.Fatal("lost")
		}
	})
}

func TestInvitationOfLastNightIsFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		midnight := days.begin(days.at(time.Now()) + 1)
		<-time.After(time.Until(midnight.Add(-10 * time.Minute)))
		leave(t, meeting(w, 0), fixed(1), 1)
		leave(t, meeting(w, 20*time.Minute), fixed(1), 2) // for this clock it is tomorrow
		if n := len(collect(t, meeting(w, 0), fixed(1))); n != 2 {
			t.Fatalf("%d before midnight", n)
		}
		<-time.After(100 * time.Minute)
		if n := len(collect(t, meeting(w, 0), fixed(1))); n != 2 {
			t.Fatalf("%d after midnight", n)
		}
		<-time.After(3 * time.Hour)
		leave(t, meeting(w, 0), fixed(1), 2)
		if n := len(collect(t, meeting(w, 0), fixed(1))); n != 1 {
			t.Fatalf("%d in the morning", n)
		}
	})
}

func TestOnlyInvitationsFitAnInbox(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := meeting(newWorld(t, 8), 0)
		if _, err := m.Leave(t.Context(), fixed(1), letter(1)[1:]); !errors.Is(err, ErrRecord) {
			t.Fatal(err)
		}
	})
}

func TestSizeOfTheNetworkIsLearned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 12)
		m := meeting(w, 0)
		for i := range 4 {
			if n := m.Size(); n != 0 {
				t.Fatalf("%d nodes after %d walks", n, i)
			}
			collect(t, m, fixed(1)) // walks to an inbox say nothing: its targets may be known
		}
		if n := m.Size(); n < 4 || n > 48 {
			t.Fatalf("12 nodes are taken for %d", n)
		}
	})
}
