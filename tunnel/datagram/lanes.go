// The lanes of an endpoint, found by the ids in packets.

package datagram

import (
	"sync"
	"sync/atomic"

	"nightjar/tunnel/packet"
)

const (
	ahead  = 32 // ids beyond the newest that came by which a lane is found
	behind = 8  // and before it
)

// A lane is the receiving side of one epoch. Its opener belongs to the endpoint's reader alone.
type lane struct {
	conn   *Conn
	opener *packet.Opener
	proved bool        // a packet has opened; the reader's alone
	newest uint64      // id of the packet that opened last; the reader's alone
	late   atomic.Bool // superseded: only user data is taken

	ids       packet.IDs
	low, high uint64 // numbers of the ids that it is found by; guarded by lanes.mu
}

// lanes are those of all sessions. Its zero value has none.
type lanes struct {
	mu   sync.RWMutex
	byID map[uint64]*lane
}

// find finds the lane with that id, or nil.
func (s *lanes) find(id uint64) *lane {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byID[id]
}

// enter makes a lane known and reports whether its ids were free.
func (s *lanes) enter(l *lane) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = make(map[uint64]*lane)
	}
	for n := range uint64(ahead) {
		if s.byID[l.ids.At(n)] != nil {
			return false
		}
	}
	s.reach(l, ahead)
	return true
}

// reach has a lane found by its ids up to a number.
func (s *lanes) reach(l *lane, high uint64) {
	for ; l.high < high; l.high++ {
		if id := l.ids.At(l.high); s.byID[id] == nil {
			s.byID[id] = l
		}
	}
}

// came is told of the id of a packet that has opened: of those after it as many are known as ever.
func (s *lanes) came(l *lane, id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID[id] != l {
		return // forgotten meanwhile
	}
	n := l.low
	for n < l.high && l.ids.At(n) != id {
		n++
	}
	s.reach(l, n+1+ahead)
	for ; l.low+behind < n; l.low++ {
		s.forget(l, l.low)
	}
}

// leave forgets a lane, if there is one.
func (s *lanes) leave(l *lane) {
	if l == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; l.low < l.high; l.low++ {
		s.forget(l, l.low)
	}
}

func (s *lanes) forget(l *lane, n uint64) {
	if id := l.ids.At(n); s.byID[id] == l {
		delete(s.byID, id)
	}
}
