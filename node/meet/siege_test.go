// What somebody who holds a card can do to its inbox, and what gets through.

package meet

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// besiege overwrites all slots of an inbox, today's and tomorrow's, with junk of the seq that it is
// told, at once and then after every pause.
func besiege(w *world, inbox [32]byte, pause time.Duration, seq func(*slot) int64,
	until time.Time) {
	for ; time.Now().Before(until); <-time.After(pause) {
		for _, day := range days.around(time.Now(), 0, time.Duration(days)) {
			for index := range indices {
				s := inboxSlot(inbox, day, index)
				n := seq(s)
				for _, f := range w.nodes { // he sees what is stored, and goes beyond it
					w.mu.Lock()
					if have, ok := f.items[slotTarget(s)]; ok && have.Seq != nil {
						n = max(n, *have.Seq)
					}
					w.mu.Unlock()
				}
				if n < math.MaxInt64 {
					n++
				}
				w.put(s.put(letter(9), n))
			}
		}
	}
}

// reads reports how many of several invitations, each left at a time of its own and renewed as the
// engine does, are read within eight hours by somebody who looks about each half hour.
func reads(t *testing.T, siege func(w *world, until time.Time)) (share float64) {
	const people = 8
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 8)
		m, end := meeting(w, 0), time.Now().Add(8*time.Hour)
		done := make(chan struct{})
		go func() {
			defer close(done)
			siege(w, end)
		}()
		for i := range byte(people) {
			go func() {
				<-time.After(rand.N(5 * time.Hour))
				for ; time.Now().Before(end); <-time.After(time.Until(Next(time.Now()))) {
					_, _ = m.Leave(t.Context(), fixed(1), letter(100+i))
				}
			}()
		}
		got := map[byte]bool{}
		for ; time.Now().Before(end); <-time.After(20*time.Minute + rand.N(20*time.Minute)) {
			found, err := m.Collect(t.Context(), fixed(1))
			if err != nil {
				t.Error(err)
			}
			for _, b := range found {
				if b[0] >= 100 {
					got[b[0]] = true
				}
			}
		}
		<-done
		<-time.After(3 * time.Hour)
		share = float64(len(got)) / people
	})
	return share
}

func TestSiegeOfAnInboxHoldsAsLongAsItGoesOn(t *testing.T) {
	newest := func(s *slot) int64 { return s.seq(time.Now()) }
	last := func(*slot) int64 { return math.MaxInt64 - 1 }
	for _, c := range []struct {
		name        string
		pause       time.Duration
		seq         func(*slot) int64
		least, most float64
	}{
		{"each ten minutes", 10 * time.Minute, newest, 0.1, 1},
		{"the last seq, once", 24 * time.Hour, last, 0.6, 1},
		{"the last seq, each hour", time.Hour, last, 0, 0},
	} {
		got := reads(t, func(w *world, until time.Time) {
			besiege(w, fixed(1), c.pause, c.seq, until)
		})
		t.Logf("%s: %.0f %% get through in eight hours", c.name, 100*got)
		if got < c.least || got > c.most {
			t.Errorf("%s: %.2f get through", c.name, got)
		}
	}
	// Without the card nobody knows the slots: what is stored under keys of one's own reaches none.
	if got := reads(t, func(w *world, until time.Time) {
		besiege(w, fixed(2), time.Hour, last, until)
	}); got != 1 {
		t.Errorf("without the card %.2f get through", got)
	}
}
