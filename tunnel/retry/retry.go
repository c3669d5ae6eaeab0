// Package retry brings small messages over packets that may be lost, doubled or reordered: each
// message once and in order, for as long as the session lives. It is pure: it is told the time and
// what has come, and says what to send. Messages are cut into chunks that have numbers; chunks are
// acknowledged, and sent again with growing waits until they are.
package retry

import (
	"errors"
	"math/rand/v2"
	"time"

	"nightjar/tunnel/packet"
)

const (
	// Window is how many chunks may be on the way.
	Window = 64
	// MaxMessage is the longest message in bytes.
	MaxMessage = 4096

	queued   = 128             // chunks that wait to be acknowledged, with those on the way
	readable = 64              // messages that wait to be read,
	unread   = 16 * MaxMessage // and their bytes

	leastWait = 100 * time.Millisecond // for an acknowledgement
	firstWait = 500 * time.Millisecond // when nothing is known of the way
	mostWait  = 5 * time.Second
)

// ErrRules: the far side sent a message longer than MaxMessage.
var ErrRules = errors.New("message exceeds the limit")

// A Sender is the sending end. Its zero value is ready.
type Sender struct {
	base  uint32 // number of the first chunk in the row
	row   []chunk
	round time.Duration // round trip, smoothed; 0 when unknown
}

type chunk struct {
	body  []byte
	last  bool
	acked bool
	tries int
	sent  time.Time // last
	due   time.Time
}

// Push takes a copy of a message, at most MaxMessage bytes, and reports whether there was room.
func (s *Sender) Push(message []byte) bool {
	n := max(1, (len(message)+packet.MaxChunk-1)/packet.MaxChunk)
	if len(s.row)+n > queued {
		return false
	}
	all := append([]byte(nil), message...)
	for ; n > 0; n-- {
		size := min(len(all), packet.MaxChunk)
		s.row = append(s.row, chunk{body: all[:size], last: n == 1})
		all = all[size:]
	}
	return true
}

// Empty reports whether everything has been acknowledged.
func (s *Sender) Empty() bool { return len(s.row) == 0 }

// Due returns the next chunk that is to leave now; asking counts as sending. slack is how much
// longer than its way an acknowledgement may take. A chunk larger than room is not due.
func (s *Sender) Due(now time.Time, slack time.Duration, room int) (f packet.Frame, ok bool) {
	for i := range s.row[:min(len(s.row), Window)] {
		c := &s.row[i]
		if c.acked || now.Before(c.due) {
			continue
		}
		f = packet.Frame{Type: packet.Chunk, Sequence: s.base + uint32(i), Last: c.last,
			Body: c.body}
		if f.Size() > room {
			return f, false
		}
		c.sent, c.due = now, now.Add(s.wait(c.tries)+slack)
		c.tries++
		return f, true
	}
	return f, false
}

// wait is how long to wait after a try: doubled each time, and a quarter of it at random.
func (s *Sender) wait(tries int) time.Duration {
	d := firstWait
	if s.round > 0 {
		d = max(leastWait, 2*s.round)
	}
	d = min(d<<min(tries, 6), mostWait)
	return d*7/8 + rand.N(d/4)
}

// Next is when Due is to be asked again; zero for never.
func (s *Sender) Next() (next time.Time, some bool) {
	for _, c := range s.row[:min(len(s.row), Window)] {
		if !c.acked && (!some || c.due.Before(next)) {
			next, some = c.due, true
		}
	}
	return next, some
}

// Acked takes an acknowledgement. What it cannot mean is ignored: it may be old.
func (s *Sender) Acked(next uint32, beyond uint64, now time.Time) {
	done := int(int32(next - s.base))
	if done < 0 || done > min(len(s.row), Window) {
		return
	}
	for i := range s.row[:min(len(s.row), Window)] {
		past := i - done - 1
		if i < done || past >= 0 && past < 64 && beyond>>past&1 == 1 {
			s.took(&s.row[i], now)
		}
	}
	s.row = append(s.row[:0], s.row[done:]...)
	clear(s.row[len(s.row):min(cap(s.row), len(s.row)+done)])
	s.base += uint32(done)
	if len(s.row) == 0 {
		s.row = nil
	}
}

// took measures the way by a chunk that was sent once only (Karn's rule).
func (s *Sender) took(c *chunk, now time.Time) {
	if c.acked {
		return
	}
	c.acked = true
	if c.tries != 1 {
		return
	}
	if round := now.Sub(c.sent); s.round == 0 {
		s.round = max(round, 1)
	} else {
		s.round = max((7*s.round+round)/8, 1)
	}
}

// A Receiver is the receiving end. Its zero value is ready.
type Receiver struct {
	next    uint32 // the chunk that is missing
	held    map[uint32]packet.Frame
	partial []byte
	ready   [][]byte
	size    int // of those
}

// Take takes a chunk, which may have come before. Without room for another message it takes none:
// the sender will try again.
func (r *Receiver) Take(f packet.Frame) error {
	ahead := f.Sequence - r.next
	if ahead >= Window || r.full() {
		return nil
	}
	if _, again := r.held[f.Sequence]; again {
		return nil
	}
	if r.held == nil {
		r.held = make(map[uint32]packet.Frame)
	}
	f.Body = append([]byte(nil), f.Body...)
	r.held[f.Sequence] = f
	return r.advance()
}

// advance joins what has no gap before it.
func (r *Receiver) advance() error {
	for !r.full() {
		f, ok := r.held[r.next]
		if !ok {
			break
		}
		delete(r.held, r.next)
		r.next++
		if r.partial = append(r.partial, f.Body...); len(r.partial) > MaxMessage {
			return ErrRules
		}
		if f.Last {
			r.ready = append(r.ready, r.partial)
			r.size += len(r.partial)
			r.partial = nil
		}
	}
	if len(r.held) == 0 {
		r.held = nil
	}
	return nil
}

// full reports whether there is no room for another message.
func (r *Receiver) full() bool { return len(r.ready) >= readable || r.size >= unread }

// Pop returns the next message.
func (r *Receiver) Pop() (message []byte, ok bool) {
	if len(r.ready) == 0 {
		return nil, false
	}
	message = r.ready[0]
	r.ready[0] = nil
	r.size -= len(message)
	if r.ready = r.ready[1:]; len(r.ready) == 0 {
		r.ready = nil
	}
	r.advance() // what did not fit before; it cannot be too long twice
	return message, true
}

// State is the acknowledgement of what has come.
func (r *Receiver) State() (next uint32, beyond uint64) {
	for n := range r.held {
		if past := n - r.next - 1; past < 64 {
			beyond |= 1 << past
		}
	}
	return r.next, beyond
}
