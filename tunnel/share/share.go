// Package share divides memory among sessions. Each has some for its own, which is there whatever
// others do; what it holds beyond that it takes from a Stock that all of them share, and does
// without when nothing is left. So the sum is bounded, and no far side can starve another session.
package share

import "sync/atomic"

// Size is how many bytes a Stock has.
const Size = 64 << 20

// A Stock is the memory that sessions share. Its zero value is whole; a nil Stock has no bound. It
// is safe for concurrent use.
type Stock struct{ taken atomic.Int64 }

// Take takes n bytes and reports whether as many were left.
func (s *Stock) Take(n int) bool {
	if s == nil || s.taken.Add(int64(n)) <= Size {
		return true
	}
	s.taken.Add(int64(-n))
	return false
}

// Give gives n bytes back.
func (s *Stock) Give(n int) {
	if s != nil {
		s.taken.Add(int64(-n))
	}
}

// Taken is how many bytes are taken.
func (s *Stock) Taken() int { return int(s.taken.Load()) }

// A Loan is what one session has taken. It is not safe for concurrent use.
type Loan struct {
	Stock *Stock
	bytes int
}

// Take takes n bytes more, if as many are left.
func (l *Loan) Take(n int) bool {
	if !l.Stock.Take(n) {
		return false
	}
	l.bytes += n
	return true
}

// Give gives n bytes back.
func (l *Loan) Give(n int) {
	l.bytes -= n
	l.Stock.Give(n)
}

// Fit takes or gives back so that the loan is of n bytes, and reports whether it is.
func (l *Loan) Fit(n int) bool {
	if n > l.bytes {
		return l.Take(n - l.bytes)
	}
	l.Give(l.bytes - n)
	return true
}
