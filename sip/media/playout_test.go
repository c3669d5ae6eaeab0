// Claims about the play-out buffer: driven by counting, no clock.

package media

import (
	"math/rand/v2"
	"testing"
)

// trip plays frames through a buffer: arrive[i] is the pull before which frame i arrives, -1
// for never. It returns what each pull gave, -1 for nothing.
func trip(b *playout, first uint16, arrive []int, pulls int) []int {
	at := map[int][]int{}
	for i, when := range arrive {
		if when >= 0 {
			at[when] = append(at[when], i)
		}
	}
	var out []int
	for now := range pulls {
		for _, i := range at[now] {
			b.push(first+uint16(i), []byte{byte(i), byte(i >> 8)})
		}
		if p := b.pull(); p != nil {
			out = append(out, int(p[0])|int(p[1])<<8)
		} else {
			out = append(out, -1)
		}
	}
	return out
}

// heard drops the holes and checks that the order is rising.
func heard(t *testing.T, out []int) []int {
	t.Helper()
	var got []int
	for _, i := range out {
		if i < 0 {
			continue
		}
		if len(got) > 0 && i <= got[len(got)-1] {
			t.Fatalf("frame %d after %d", i, got[len(got)-1])
		}
		got = append(got, i)
	}
	return got
}

// steady is n frames, one per pull.
func steady(n int) []int {
	a := make([]int, n)
	for i := range a {
		a[i] = i
	}
	return a
}

func TestSteadyFramesPlayWithoutHole(t *testing.T) {
	var b playout
	out := trip(&b, 65000, steady(2000), 2000)
	for i := playoutStart; i < 2000; i++ {
		if out[i] < 0 {
			t.Fatalf("hole at %d", i)
		}
	}
	if got := heard(t, out); got[0] != 0 || len(got) < 1990 {
		t.Errorf("%d frames from %d", len(got), got[0])
	}
}

func TestBurstsOfThreeBecomeSteady(t *testing.T) {
	arrive := make([]int, 3000)
	for i := range arrive {
		arrive[i] = i / 3 * 3 // three frames share a cell
	}
	var b playout
	out := trip(&b, 7, arrive, 3000)
	holes := 0
	for _, i := range out[20:] {
		if i < 0 {
			holes++
		}
	}
	if holes > 3 {
		t.Errorf("%d holes", holes)
	}
}

func TestReorderedAndDoubledFramesPlayOnceInOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	arrive := make([]int, 1000)
	for i := range arrive {
		arrive[i] = i + rnd.IntN(3)
	}
	var b playout
	if got := heard(t, trip(&b, 0, arrive, 1010)); len(got) < 990 {
		t.Errorf("only %d of 1000 frames", len(got))
	}
	var twice playout
	played := 0
	for i := range 100 {
		for range 2 { // once more before it is played, once more after
			twice.push(uint16(i), []byte{1})
			twice.push(uint16(i), []byte{1})
			if twice.pull() != nil {
				played++
			}
		}
	}
	if played > 100 || played < 95 || twice.counts.Late > 0 {
		t.Errorf("%d frames of 100, %d called late", played, twice.counts.Late)
	}
	if twice.counts.Twice != 300 {
		t.Errorf("%d of 300 doubles noticed", twice.counts.Twice)
	}
}

func TestLossIsAHoleNotAStop(t *testing.T) {
	arrive := steady(1000)
	lost := 0
	for i := 50; i < 1000; i += 10 {
		arrive[i] = -1
		lost++
	}
	var b playout
	got := heard(t, trip(&b, 0, arrive, 1010))
	if len(got) < 1000-lost-5 {
		t.Errorf("%d frames of %d", len(got), 1000-lost)
	}
	if int(b.counts.Lost) < lost-2 {
		t.Errorf("%d counted lost of %d", b.counts.Lost, lost)
	}
}

func TestStallDelaysButLosesNothing(t *testing.T) {
	arrive := steady(1000)
	for i := 300; i < 315; i++ {
		arrive[i] = 315 // the road stood still for 300 ms, then all came at once
	}
	var b playout
	got := heard(t, trip(&b, 0, arrive, 1100))
	if len(got) < 990 {
		t.Errorf("%d of 1000 frames", len(got))
	}
}

func TestDelayShrinksAgainAfterTrouble(t *testing.T) {
	arrive := steady(20000)
	for i := 300; i < 320; i++ {
		arrive[i] = 320
	}
	var b playout
	trip(&b, 0, arrive, 20000)
	if waiting := b.high - b.next + 1; waiting > 4 {
		t.Errorf("%d frames wait, long after the road was good again", waiting)
	}
	if b.counts.Skipped > 25 {
		t.Errorf("%d frames were given up", b.counts.Skipped)
	}
}

func TestDriftOfTheFarClockIsFollowed(t *testing.T) {
	for _, fast := range []float64{1.001, 0.999} {
		arrive := make([]int, 60000) // 20 minutes
		for i := range arrive {
			arrive[i] = int(float64(i) * fast)
		}
		var b playout
		out := trip(&b, 0, arrive, 59000)
		if got := heard(t, out); len(got) < 58800 {
			t.Errorf("clock %v: %d frames of 59000", fast, len(got))
		}
		if waiting := b.high - b.next + 1; waiting > 10 {
			t.Errorf("clock %v: %d frames wait", fast, waiting)
		}
	}
}

func TestSpeechAfterPauseStartsClean(t *testing.T) {
	arrive := make([]int, 200)
	for i := range arrive {
		arrive[i] = i
		if i >= 100 {
			arrive[i] = i + 300 // a hold of 6 s; the far side's numbers stood still
		}
	}
	var b playout
	got := heard(t, trip(&b, 0, arrive, 600))
	if len(got) < 195 {
		t.Errorf("%d of 200 frames", len(got))
	}
	far := trip(&b, 30000, steady(100), 150) // and numbers that jump
	if n := len(heard(t, far)); n < 95 {
		t.Errorf("%d of 100 frames after a jump", n)
	}
}

func TestHostileNumbersCostNoMemoryAndNoOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var b playout
	for range 200000 {
		b.push(uint16(rnd.Uint32()), []byte{1})
		if rnd.IntN(4) == 0 {
			b.pull()
		}
		if b.next < 0 || b.high-b.next >= playoutSlots {
			t.Fatalf("next %d high %d", b.next, b.high)
		}
	}
}

func FuzzPlayout(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 255, 255, 0, 2, 128, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p playout
		for ; len(b) >= 2; b = b[2:] {
			if b[0] == 0x55 {
				p.pull()
				continue
			}
			p.push(uint16(b[0])<<8|uint16(b[1]), []byte{1})
			if p.next < 0 || p.high-p.next >= playoutSlots {
				t.Fatalf("next %d high %d", p.next, p.high)
			}
		}
	})
}
