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
		"2026-11-22 12:00:00", "2024-11-19 23:30:05.637040"}
	goldenHigh = [5]string{"824b161b4ba88ff6a0ce58e4edab55a998f860163ebdf935455153b9e6ab24c4",
		"662f663d4a0871f3989e757773d39fadfcb04d7d",
		"e29e4926aa845d54fbde018afc5d9ad7d3566c54e22573267fc04775aaea53a7",
		"2026-11-22 12:00:00", "2023-12-20 00:32:23.021050"}
	goldenInbox = [5]string{"aee9b7d837ba9748fe1e7d895e3b429169bc6eaa9b16ec5822093916a35ef14b",
		"374f3c3149c4e807c53d70b597d11323041487f6",
		"26648b79453704539c6029eb193466c0383d9a41678c9d757813fb0ad1268840",
		"2026-11-22 00:00:00", "2024-05-11 06:18:48.125872"}
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
	for _, c := range []struct {
		name   string
		s      *slot
		number int64
		want   [5]string // key, target, seal, begin, seq
	}{
		{"pair", pairSlot(fixed(1), Low, epochs.at(now)), epochs.at(now), goldenLow},
		{"pair", pairSlot(fixed(1), High, epochs.at(now)), epochs.at(now), goldenHigh},
		{"inbox", inboxSlot(fixed(1), days.at(now), 7), days.at(now), goldenInbox},
	} {
		key := c.s.key()
		target := walk.Target(key)
		got := [5]string{hex.EncodeToString(key[:]), hex.EncodeToString(target[:]),
			hex.EncodeToString(c.s.seal[:]), c.s.begin.UTC().Format(time.DateTime),
			time.UnixMicro(c.s.seq(now)).UTC().Format("2006-01-02 15:04:05.000000")}
		if got != c.want {
			t.Errorf("%s, number %d:\ngot  %q\nwant %q", c.name, c.number, got, c.want)
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
		now := time.Unix(rand.Int64N(1<<33)-1<<20, 0)
		n := epochs.at(now)
		begin, end := epochs.begin(n), epochs.begin(n+1)
		if begin.After(now) || end.Sub(begin) != epochLength || !end.After(now) {
			t.Fatalf("%v is not in its epoch, which began at %v", now, begin)
		}
	}
	late, early := at("2026-11-22 23:59:59"), at("2026-11-22 05:59:59")
	if days.begin(days.at(late)) != epochs.begin(epochs.at(early)) {
		t.Fatal("the day does not begin with an epoch")
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
		slot := pairSlot(fixed(b), Low, epochs.at(clocked))
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
