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
			now := begin.Add(time.Minute)
			if skew != 0 {
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

// sign is what an observer of every node compares in two slots of epochs that follow each other; a
// small number speaks for one pair.
type sign struct {
	name string
	of   func(old, young []time.Time, seqs [2]int64) float64
}

var signs = []sign{
	{"handover", func(old, young []time.Time, _ [2]int64) float64 {
		return young[0].Sub(old[len(old)-1]).Abs().Minutes()
	}},
	{"first after last", func(old, young []time.Time, _ [2]int64) float64 {
		return young[0].Sub(old[len(old)-1]).Minutes()
	}},
	{"stored together", func(old, young []time.Time, _ [2]int64) float64 {
		least := time.Duration(1 << 62)
		for _, a := range old {
			for _, b := range young {
				least = min(least, a.Sub(b).Abs())
			}
		}
		return least.Minutes()
	}},
	{"same hour", func(old, young []time.Time, _ [2]int64) float64 {
		a, b := old[0].Sub(epochs.begin(0)), young[0].Sub(epochs.begin(0))
		return (a%epochLength - b%epochLength).Abs().Minutes()
	}},
	{"same rhythm", func(old, young []time.Time, _ [2]int64) float64 {
		mean := func(t []time.Time) float64 {
			return t[len(t)-1].Sub(t[0]).Minutes() / float64(max(len(t)-1, 1))
		}
		return abs(mean(old) - mean(young))
	}},
	{"seq goes on", func(_, _ []time.Time, seqs [2]int64) float64 {
		return abs(float64(seqs[1] - seqs[0]))
	}},
}

func abs(x float64) float64 { return max(x, -x) }

// advantage plays the game: told two slots, the observer says whether they are of one pair. It
// learns the best threshold of each sign on half of the games and is measured on the other half. It
// returns the sign that does best, and by how many points of 50 it is better than guessing.
func advantage(lives []life, seq func(pair int, epoch int64) int64, all []int64) (string, float64) {
	best, points := "", 0.0
	for _, s := range signs {
		var same, other [2][]float64
		for pair, l := range lives {
			for i := range len(all) - 1 {
				stranger := (pair + 1 + rand.IntN(len(lives)-1)) % len(lives)
				old, half := l[all[i]], pair%2
				game := func(young int) float64 {
					return s.of(old, lives[young][all[i+1]],
						[2]int64{seq(pair, all[i]), seq(young, all[i+1])})
				}
				same[half] = append(same[half], game(pair))
				other[half] = append(other[half], game(stranger))
			}
		}
		limit, below := threshold(same[0], other[0])
		right := share(same[1], limit, below) + 1 - share(other[1], limit, below)
		if p := 50 * (right - 1); p > points {
			best, points = s.name, p
		}
	}
	return best, points
}

// threshold returns where to cut between same and other, and whether same is below.
func threshold(same, other []float64) (limit float64, below bool) {
	most := 0.0
	for _, cut := range slices.Concat(same, other)[:min(400, 2*len(same))] {
		for _, b := range []bool{true, false} {
			if r := share(same, cut, b) + 1 - share(other, cut, b); r > most {
				most, limit, below = r, cut, b
			}
		}
	}
	return limit, below
}

// share is which part of the values lies below, or not below, the limit.
func share(values []float64, limit float64, below bool) float64 {
	n := 0
	for _, v := range values {
		if v <= limit == below {
			n++
		}
	}
	return float64(n) / float64(len(values))
}

// observed lets pairs live for some epochs and returns the observer's best sign and advantage: over
// ours, and over the naive variant, in which all slots of a pair are stored at each call and seqs
// count the calls.
func observed(pairs, span int) (sign string, ours float64, naiveSign string, naive float64) {
	start := at("2026-01-01 00:00:00")
	var all []int64
	for n := range int64(span) {
		all = append(all, epochs.at(start)+2+n)
	}
	var lives, plain []life
	for p := range pairs {
		begin := start.Add(rand.N(2 * epochLength))
		end := start.Add(time.Duration(span+3) * epochLength)
		lives = append(lives, live(rootOf(p), begin, end, 0))
		plain = append(plain, liveNaive(begin, end))
	}
	sign, ours = advantage(lives, func(pair int, epoch int64) int64 {
		s := pairSlot(rootOf(pair), Low, epoch)
		return s.seq(s.begin)
	}, all)
	naiveSign, naive = advantage(plain, func(pair int, epoch int64) int64 {
		return int64(1e6*pair) + epoch
	}, all)
	return sign, ours, naiveSign, naive
}

func rootOf(pair int) [32]byte {
	root := fixed(1)
	root[0], root[1] = byte(pair), byte(pair>>8)
	return root
}

func liveNaive(from, to time.Time) life {
	l := make(life)
	for now := from; now.Before(to); now = Next(now) {
		for _, n := range epochs.around(now, overlap, latest) {
			l[n] = append(l[n], now)
		}
	}
	return l
}

func TestTimesDoNotLinkTheEpochsOfAPair(t *testing.T) {
	sign, ours, naiveSign, naive := observed(120, 5)
	if ours > 10 { // 240 games: the noise of one sign has a deviation of about 2 points
		t.Errorf("by %q the observer gains %.1f points", sign, ours)
	}
	if naive < 30 {
		t.Errorf("by %q only %.1f of the naive variant: this test proves nothing", naiveSign, naive)
	}
	t.Logf("ours: %s %.1f; naive: %s %.1f", sign, ours, naiveSign, naive)
}
