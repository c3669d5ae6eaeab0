// Claims about slots: who can derive them, and when they change.

package meet

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"nightjar/node/card"
	"nightjar/node/meet/walk"
)

// The golden slots: key, target, AEAD key, when it began, seq at the moment of the test.
var (
	goldenLow = [5]string{"bc05cf9f55878978f4dea8e0c24d4aba97ff6032866f3b50f08d4917a9ff60b5",
		"ea2d3263fb97410fc1fd1d1e7e67045c4c558aca",
		"0bc1b563f0c3dfa851a053122dd850e655ff2749ed6cf88c5502eea7b75267f5",
		"2026-11-22 11:15:16", "2024-11-20 00:06:52.710869"}
	goldenHigh = [5]string{"824b161b4ba88ff6a0ce58e4edab55a998f860163ebdf935455153b9e6ab24c4",
		"662f663d4a0871f3989e757773d39fadfcb04d7d",
		"e29e4926aa845d54fbde018afc5d9ad7d3566c54e22573267fc04775aaea53a7",
		"2026-11-22 11:15:16", "2023-12-20 01:14:08.427649"}
	goldenInbox = [5]string{"f38e326871dd5dd5d91b5bf78b03f8d27a01ef75ac9288cd5ea97c35a1fda671",
		"d949fe33fa7309ec19d43451536250f5081573bd",
		"29ee9e76a97b6c5667183ec105f549289f9b1da773fd2d19ec4464831d6fbe2b",
		"2026-11-22 11:15:16", "2024-12-11 19:34:46.888283"}
)

// fixed is 32 equal bytes.
func fixed(b byte) [32]byte { return [32]byte(bytes.Repeat([]byte{b}, 32)) }

func at(s string) time.Time {
	t, err := time.Parse(time.DateTime, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestSlotsAreWhereTheyAlwaysWere(t *testing.T) {
	now := at("2026-11-22 12:34:56")
	pair, inbox := clock(fixed(1), epochLength), clock(fixed(1), dayLength)
	for _, c := range []struct {
		name   string
		s      *slot
		phase  time.Duration
		number int64
		want   [5]string // key, target, seal, begin, seq
	}{
		{"pair", pairSlot(fixed(1), Low, pair.at(now)), pair.phase, pair.at(now), goldenLow},
		{"pair", pairSlot(fixed(1), High, pair.at(now)), pair.phase, pair.at(now), goldenHigh},
		{"inbox", inboxSlot(fixed(1), inbox.at(now), 7), inbox.phase, inbox.at(now), goldenInbox},
	} {
		key := c.s.key()
		target := walk.Target(key)
		got := [5]string{hex.EncodeToString(key[:]), hex.EncodeToString(target[:]),
			hex.EncodeToString(c.s.seal[:]), c.s.begin.UTC().Format(time.DateTime),
			time.UnixMicro(c.s.seq(now)).UTC().Format("2006-01-02 15:04:05.000000")}
		if got != c.want {
			t.Errorf("%s, phase %v, number %d:\ngot  %q\nwant %q",
				c.name, c.phase, c.number, got, c.want)
		}
	}
}

func TestSidesAgree(t *testing.T) {
	a, b := card.Address{1}, card.Address{2}
	if SideOf(a, b) != Low || SideOf(b, a) != High {
		t.Fatal("the smaller key is not low")
	}
}

func TestNoTwoSlotsShareAKey(t *testing.T) {
	seen := make(map[[32]byte]bool)
	add := func(s *slot) {
		for _, k := range [][32]byte{s.key(), s.seal, s.pace} {
			if seen[k] {
				t.Fatal("a key came twice")
			}
			seen[k] = true
		}
	}
	for secret := range byte(4) {
		for number := range int64(30) {
			add(pairSlot(fixed(secret), Low, number))
			add(pairSlot(fixed(secret), High, number))
			for index := range indices {
				add(inboxSlot(fixed(secret), number, index))
			}
		}
	}
}

func TestEpochsFollowEachOther(t *testing.T) {
	for range 200 {
		var root [32]byte
		for i := range root {
			root[i] = byte(rand.Uint32())
		}
		p := clock(root, epochLength)
		if p.phase < 0 || p.phase >= epochLength {
			t.Fatalf("phase %v", p.phase)
		}
		now := time.Unix(rand.Int64N(1<<33)-1<<20, 0)
		n := p.at(now)
		begin, end := p.begin(n), p.begin(n+1)
		if begin.After(now) || end.Sub(begin) != epochLength || !end.After(now) {
			t.Fatalf("%v is not in its epoch, which began at %v", now, begin)
		}
	}
}

// TestReaderAndWriterMeet tries every moment of an epoch with clocks that differ by up to 30
// minutes, and records that were published up to 80 minutes ago.
func TestReaderAndWriterMeet(t *testing.T) {
	p := clock(fixed(3), epochLength)
	start := p.begin(1000)
	for minute := range 2 * 360 {
		now := start.Add(time.Duration(minute) * time.Minute)
		for _, skew := range []time.Duration{-overlap, -time.Minute, 0, time.Minute, overlap} {
			for _, ago := range []time.Duration{0, 40 * time.Minute, 80 * time.Minute} {
				written := p.around(now.Add(-ago), overlap, overlap+republish*4/3)
				read := p.around(now.Add(skew), overlap, overlap)
				both := func(n int64) bool { return slices.Contains(written, n) }
				if !slices.ContainsFunc(read, both) {
					t.Fatalf("minute %d, skew %v, published %v ago: wrote %v, read %v",
						minute, skew, ago, written, read)
				}
			}
		}
	}
	// The naive variant reads and writes the present epoch only.
	now := p.begin(7).Add(-time.Minute)
	if p.at(now) == p.at(now.Add(overlap)) {
		t.Fatal("the naive variant meets too: this test proves nothing")
	}
}

func TestPhasesDiffer(t *testing.T) {
	seen := make(map[time.Duration]int)
	for b := range byte(200) {
		seen[clock(fixed(b), epochLength).phase/time.Minute]++
	}
	if len(seen) < 100 { // 200 draws of 360 minutes: about 153 expected
		t.Fatalf("only %d phases", len(seen))
	}
}

func TestSeqGrowsAndTellsNoClock(t *testing.T) {
	s := pairSlot(fixed(1), Low, 1000)
	last := int64(0)
	for m := -60; m < 7*60; m += 10 {
		n := s.seq(s.begin.Add(time.Duration(m) * time.Minute))
		if n <= last || n < seqFloor || n >= 1<<53 {
			t.Fatalf("minute %d: %d after %d", m, n, last)
		}
		last = n
	}
	if s.seq(time.Unix(0, 0)) < seqFloor {
		t.Fatal("a clock that is years late leaves the range")
	}
	// One publisher's clock is 47 minutes fast. What its slots say of the time has nothing in
	// common; those of the naive variant, which counts microseconds, agree to the minute.
	real, ours, naive := at("2026-01-01 10:00:00"), make(map[int64]bool), make(map[int64]bool)
	for b := range byte(50) {
		clocked := real.Add(47*time.Minute + time.Duration(b)*time.Second)
		slot := pairSlot(fixed(b), Low, clock(fixed(b), epochLength).at(clocked))
		ours[(slot.seq(clocked)-real.UnixMicro())/time.Minute.Microseconds()] = true
		naive[(clocked.UnixMicro()-real.UnixMicro())/time.Minute.Microseconds()] = true
	}
	if len(ours) != 50 {
		t.Fatalf("50 slots differ from the clock in only %d ways", len(ours))
	}
	if len(naive) != 1 {
		t.Fatal("the naive variant tells nothing: this test proves nothing")
	}
}

func TestInboxDayHasAPhase(t *testing.T) {
	now := at("2026-01-02 00:00:00")
	days := make(map[int]bool)
	for b := range byte(100) {
		p := clock(fixed(b), dayLength)
		days[p.begin(p.at(now)).Hour()] = true
	}
	if len(days) < 20 {
		t.Fatalf("days begin at only %d hours", len(days))
	}
}

func TestNextIsFortyToEightyMinutesAway(t *testing.T) {
	now := at("2026-01-01 00:00:00")
	low, high := time.Duration(1<<62), time.Duration(0)
	for range 1000 {
		d := Next(now).Sub(now)
		low, high = min(low, d), max(high, d)
	}
	if low < 40*time.Minute || high > 80*time.Minute || high-low < 30*time.Minute {
		t.Fatalf("from %v to %v", low, high)
	}
}

func TestTheSameInvitationTriesTheSamePlaces(t *testing.T) {
	a, b := orderOf([]byte("a")), orderOf([]byte("b"))
	if !slices.Equal(a, orderOf([]byte("a"))) || slices.Equal(a, b) {
		t.Fatalf("%v and %v", a, b)
	}
	slices.Sort(a)
	if !slices.Equal(a, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
		t.Fatalf("%v", a)
	}
}
