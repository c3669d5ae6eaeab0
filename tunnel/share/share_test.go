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
