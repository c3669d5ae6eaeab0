// Low-rate cover: what it shows, what it costs, and that a session lives under it.

package tunnel

import (
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// fated is cover whose chance is the same each time, so that what is seen of two sessions can be
// compared moment by moment.
func fated(mean time.Duration, seed uint64) Shape {
	return Shape{mean, rand.New(rand.NewPCG(seed, seed)).ExpFloat64}
}

func TestCoverShowsNothingOfWhatIsSaid(t *testing.T) {
	const mean = time.Second
	talkA, talkB := observe(t, fated(mean, 1), fated(mean, 2), talk)
	silenceA, silenceB := observe(t, fated(mean, 1), fated(mean, 2), silent)
	if !slices.Equal(talkA, silenceA) || !slices.Equal(talkB, silenceB) {
		t.Error("an observer can tell talk from silence")
	}
	if slices.Equal(talkA, talkB) {
		t.Error("both sides send at the same moments")
	}
	for _, s := range talkA {
		if s.size != RecordSize {
			t.Fatal("a write of", s.size, "bytes")
		}
	}
	if want := float64(callTime / mean); math.Abs(float64(len(talkA))-want) > 6*math.Sqrt(want) {
		t.Error("records seen:", len(talkA), "want about", want)
	}
	// Cover that is only added to what is said hides nothing: that is what padding alone does.
	talkA, _ = observe(t, Shape{}, Shape{}, talk)
	silenceA, _ = observe(t, Shape{}, Shape{}, silent)
	if slices.Equal(talkA, silenceA) {
		t.Error("the test would not notice talk")
	}
}

func TestMomentsOfCoverAreAPoissonProcess(t *testing.T) {
	const n, mean = 20_000, 2 * time.Second
	s, now := Cover(mean), time.Unix(0, 0)
	var sum, square float64
	for range n {
		next := s.after(now, now)
		gap := next.Sub(now).Seconds()
		if gap < 0 || gap > longestGap.Seconds() {
			t.Fatal("a gap of", gap, "seconds")
		}
		sum, square, now = sum+gap, square+gap*gap, next
	}
	average := sum / n
	deviation := math.Sqrt(square/n - average*average)
	// Of an exponential distribution both are the mean; six deviations of their estimates.
	off := 6 / math.Sqrt(n) * mean.Seconds()
	if math.Abs(average-mean.Seconds()) > off || math.Abs(deviation-mean.Seconds()) > 2*off {
		t.Error("average", average, "deviation", deviation)
	}
	clock := Clock(mean)
	if gap := clock.after(now, now).Sub(now); gap != mean {
		t.Error("a clock beats after", gap)
	}
	if gap := clock.after(now, now.Add(5*mean/2)).Sub(now); gap != 3*mean {
		t.Error("a clock that was held up beats after", gap)
	}
}

func TestCoveredDayCostsWhatIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		ta, tb := &tap{Conn: ca}, &tap{Conn: cb}
		a, b := newContacts(t).connect(t, ta, tb)
		a.SetShape(Cover(time.Hour)) // counts as ten seconds
		b.SetShape(Clock(time.Hour))
		<-time.After(24 * time.Hour)
		if a.Err() != nil || b.Err() != nil {
			t.Error(a.Err(), b.Err())
		}
		// Cut off at twice the mean, the average is 1 - 1/e^2 of it.
		want := 8640 / (1 - math.Exp(-2))
		if got := float64(ta.count() / RecordSize); math.Abs(got-want) > 6*math.Sqrt(want) {
			t.Error("records of cover in a day:", got, "want", want)
		}
		if got := tb.count() / RecordSize; got < 8640 || got > 8640+4 {
			t.Error("records of a slow clock in a day:", got)
		}
		a.SendDatagram([]byte("good morning"))
		if _, err := b.ReceiveDatagram(t.Context()); err != nil {
			t.Error(err)
		}
		a.Close()
		b.Close()
	})
}
