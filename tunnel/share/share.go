// Package share divides memory among sessions. Each has some for its own, which is there whatever
// others do; what it holds beyond that it takes from a Stock that all of them share, and does
// without when nothing is left. So the sum is bounded, and no far side can starve another session:
// of the Stock all sessions of one contact together have a Part at most.
package share

import (
	"sync"
	"sync/atomic"
	"weak"
)

const (
	// Size is how many bytes a Stock has.
	Size = 64 << 20
	// Part is how many bytes of it one contact may take, whatever number of sessions it has.
	Part = 8 << 20
)

// A Stock is the memory that sessions share. Its zero value is whole; a nil Stock has no bound. It
// is safe for concurrent use.
type Stock struct {
	taken atomic.Int64
	whole *Stock // of which this is one contact's part, or nil

	mu    sync.Mutex
	parts map[[32]byte]weak.Pointer[Stock] // for as long as sessions hold them
}

// Of returns what the sessions of one contact take from: Part bytes at most, of those that the
// Stock has left. All its sessions have the same.
func (s *Stock) Of(contact [32]byte) *Stock {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.parts[contact].Value(); p != nil {
		return p
	}
	for of, p := range s.parts {
		if p.Value() == nil {
			delete(s.parts, of)
		}
	}
	if s.parts == nil {
		s.parts = map[[32]byte]weak.Pointer[Stock]{}
	}
	p := &Stock{whole: s}
	s.parts[contact] = weak.Make(p)
	return p
}

// Take takes n bytes and reports whether as many were left.
func (s *Stock) Take(n int) bool {
	if s == nil {
		return true
	}
	most := int64(Size)
	if s.whole != nil {
		most = Part
	}
	if s.taken.Add(int64(n)) <= most && s.whole.Take(n) {
		return true
	}
	s.taken.Add(int64(-n))
	return false
}

// Give gives n bytes back.
func (s *Stock) Give(n int) {
	if s != nil {
		s.taken.Add(int64(-n))
		s.whole.Give(n)
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
