// Claims about when slots are stored, and what their times tell.

package meet

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// life is when each slot of one side of one pair was stored.
type life map[int64][]time.Time // by epoch

// live follows a writer whose clock is wrong by skew, and who calls at the time it is told.
func live(root [32]byte, from, to time.Time, skew time.Duration) life {
	l, p, what := make(life), plan{}, gist(reach())
	for now := from; now.Before(to); {
		clocked := now.Add(skew)
		slots := publishes(root, Low, clocked)
		for _, s := range p.pick(slots, what, clocked) {
			l[epochs.at(s.begin)] = append(l[epochs.at(s.begin)], now)
			p.done(s, duty{last: clocked, what: what})
		}
		if now = p.next(slots, clocked).Add(-skew); now.Before(clocked.Add(-skew)) {
			now = clocked.Add(-skew)
		}
	}
	return l
}

// TestReaderFindsAtEveryMinute lets a reader look every minute of two days for records that a DHT
// keeps for two hours.
func TestReaderFindsAtEveryMinute(t *testing.T) {
	start := at("2026-01-01 00:17:00")
	for b := range byte(20) {
		for _, skew := range []time.Duration{-overlap, 0, overlap} {
			begin := start.Add(rand.N(epochLength))
			l := live(fixed(b), begin, begin.Add(48*time.Hour), skew)
			// Who begins just before an edge stores the next epoch's slot within stagger.
			now := begin.Add(time.Minute)
			if skew != 0 || epochs.at(begin) != epochs.at(begin.Add(stagger)) {
				now = begin.Add(stagger)
			}
			for now.Before(begin.Add(47 * time.Hour)) {
				if !slices.ContainsFunc(l[epochs.at(now)], func(at time.Time) bool {
					return !at.After(now) && now.Sub(at) <= linger
				}) {
					t.Fatalf("skew %v: nothing at %v, began %v", skew, now, begin)
				}
				now = now.Add(time.Minute)
			}
		}
	}
	// The naive variant stores the present epoch only: a reader whose clock is ahead finds nothing.
	edge := epochs.begin(epochs.at(start) + 1)
	if epochs.at(edge.Add(-time.Minute)) == epochs.at(edge.Add(-time.Minute).Add(overlap)) {
		t.Fatal("the naive variant finds it too: this test proves nothing")
	}
}

func TestPublisherThatBeginsStoresOneSlotAtATime(t *testing.T) {
	for range 500 {
		p, now := plan{}, epochs.begin(1000).Add(rand.N(epochLength))
		if n := len(p.pick(publishes(fixed(1), Low, now), gist(reach()), now)); n != 1 {
			t.Fatalf("%v into the epoch %d slots are stored at once", now.Sub(epochs.begin(1000)), n)
		}
	}
}

func TestChangedRecordIsStoredEverywhereAtOnce(t *testing.T) {
	now := epochs.begin(1000).Add(-10 * time.Minute)
	var p plan
	slots := publishes(fixed(1), Low, now)
	renewed, moved := reach(), reach()
	renewed.Expires = renewed.Expires.Add(time.Hour)
	moved.Port++
	old, fresh := gist(reach()), gist(moved)
	p.pick(slots, old, now)
	for _, s := range slots {
		p.done(s, duty{last: now, what: old})
	}
	if n := len(p.pick(slots, gist(renewed), now)); n != 1 {
		t.Errorf("nothing is due and nothing new, but %d are stored", n)
	}
	if n := len(p.pick(slots, fresh, now)); n != 2 {
		t.Errorf("of a new record %d are stored", n)
	}
}

func TestWhatFailedIsStillDue(t *testing.T) {
	now := epochs.begin(1000).Add(time.Hour)
	var p plan
	slots := publishes(fixed(1), Low, now)
	for range 3 {
		if n := len(p.pick(slots, gist(reach()), now)); n != 1 {
			t.Fatalf("%d are stored", n)
		}
		if !p.next(slots, now).Equal(now) {
			t.Fatal("it is not due")
		}
	}
}

func TestPlanForgets(t *testing.T) {
	var p plan
	now := epochs.begin(1000)
	for range 100 {
		for b := range byte(20) {
			p.pick(publishes(fixed(b), Low, now), gist(reach()), now)
		}
		now = now.Add(epochLength)
	}
	if n := len(p.duties); n > 20*6 {
		t.Fatalf("%d duties are remembered", n)
	}
}
