// The claims of this package: a Stock is never overdrawn, and nothing of it is lost.

package share

import (
	"sync"
	"testing"
)

func TestStockIsNeverOverdrawn(t *testing.T) {
	var s Stock
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			l := Loan{Stock: &s}
			for n := range 10_000 {
				if l.Fit(n % 1000 * (Size / 2000)) {
					continue
				}
				if !l.Fit(0) {
					t.Error("giving back was refused")
				}
			}
			l.Fit(0)
		})
	}
	group.Wait()
	if s.Taken() != 0 {
		t.Error(s.Taken(), "bytes are lost")
	}
	if !s.Take(Size) || s.Take(1) {
		t.Error("not all of it, or more, can be taken")
	}
}

func TestLoanIsWhatWasAskedForOrWhatItWas(t *testing.T) {
	var s Stock
	l := Loan{Stock: &s}
	if !l.Fit(Size-5) || l.Fit(Size+1) || s.Taken() != Size-5 {
		t.Error("a refused loan changed something:", s.Taken())
	}
	if !l.Take(5) || l.Take(1) || !l.Fit(7) || s.Taken() != 7 {
		t.Error(s.Taken())
	}
	if none := (Loan{}); !none.Fit(1<<40) || !none.Fit(0) {
		t.Error("without a stock there is a bound")
	}
}

func TestContactTakesAPartHoweverManySessionsItHas(t *testing.T) {
	var s Stock
	var hostile, naive []*Loan
	taken := 0
	for range 16 {
		l := &Loan{Stock: s.Of([32]byte{1})}
		for l.Take(1 << 20) {
			taken += 1 << 20
		}
		hostile = append(hostile, l)
	}
	if taken != Part || s.Taken() != Part {
		t.Error("one contact has taken", taken)
	}
	other := Loan{Stock: s.Of([32]byte{2})}
	if !other.Take(Part) || other.Take(1) {
		t.Error("another contact has less, or more, than its part")
	}
	other.Fit(0)
	for _, l := range hostile {
		l.Fit(0)
	}
	if s.Taken() != 0 || !hostile[0].Take(Part) {
		t.Error(s.Taken(), "bytes are lost")
	}
	hostile[0].Fit(0)
	for range 64 { // each session for itself: the whole stock is one contact's
		l := &Loan{Stock: &s}
		l.Take(1 << 20)
		naive = append(naive, l)
	}
	if s.Take(1) || len(naive) != 64 {
		t.Error("the naive way leaves something: this test proves nothing")
	}
}

func TestPartsAreNeverMoreThanTheStock(t *testing.T) {
	var s Stock
	var held []*Stock
	taken := 0
	for n := range byte(2 * Size / Part) {
		p := s.Of([32]byte{n})
		for p.Take(1 << 20) {
			taken += 1 << 20
		}
		held = append(held, p)
	}
	if taken != Size || len(s.parts) != len(held) {
		t.Error(taken, "bytes of", Size, "in", len(s.parts))
	}
	if (*Stock)(nil).Of([32]byte{}) != nil {
		t.Error("without a stock there is a bound")
	}
}
