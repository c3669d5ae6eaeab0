// Package mux carries many ordered byte streams in the frames of an ordered session. It is passive:
// no goroutine, no carrier. Whoever sends calls Fill when a record may leave, whoever receives
// calls Receive with each frame; streams take turns record by record, so none waits for another.
//
// Bodies of the frames (kinds of package record), big endian:
//
//	Open    id 4             a new stream; the session's initiator counts 1, 3, 5..., the other
//	                         side 2, 4, 6..., each id exactly two above the last
//	Data    id 4 | bytes     never empty, never more than the receiver has allowed
//	Finish  id 4             after this the sender sends neither Data nor Finish on the stream
//	Stop    id 4             the sender reads no more; the other side answers with Finish
//	Credit  id 4 | more 4    allows that many bytes more; each stream begins with 32768 and may
//	                         never stand above 262144
//
// A stream is gone when both sides have finished it. Each side keeps at most 64 streams of its own
// making alive. One for which there is no memory is refused: Stop and Finish answer its Open.
//
// It is not hashicorp/yamux because that pools timers across the process, which is fatal under
// testing/synctest, answers pings in goroutines without bound, and lets a bulk write hold up every
// other stream.
package mux

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"nightjar/tunnel/record"
	"nightjar/tunnel/share"
)

const (
	idSize      = 4
	firstWindow = 32 << 10  // bytes a new stream may carry before the reader has read
	lastWindow  = 256 << 10 // bytes a well-read stream may have on the way
	allWindows  = 2 << 20   // bytes by which all streams together may exceed their first window
	sendBuffer  = 32 << 10  // bytes Write takes ahead of the records

	// MaxStreams is how many streams each side may have opened and alive.
	MaxStreams = 64

	ownStreams  = 4              // whose first windows need no loan
	mostArrived = 2 * MaxStreams // streams that wait to be accepted, with those that are gone
)

// Errors.
var (
	ErrProtocol = errors.New("far side broke the rules of streams") // the session must end
	ErrStopped  = errors.New("far side reads no more of this stream")
	ErrUsedUp   = errors.New("session has no more stream numbers")
	ErrCrowded  = errors.New("all sessions together hold too much")
)

// A Mux is one side's streams. It is safe for concurrent use.
type Mux struct {
	mu      sync.Mutex
	changed sync.Cond // a stream came, went or the Mux closed
	wake    func()    // called, with mu held, when Fill has something to give
	err     error     // why it closed

	streams map[uint32]*Stream
	ready   []*Stream // those with something to send, in order of their turn
	touched []*Stream // those that Flush tells of what came
	arrived []*Stream // opened by the far side, not yet accepted
	mine    side
	theirs  side
	grown   uint32 // bytes by which the windows of all streams exceed the first
	held    int    // streams that what comes by is kept of
	loan    share.Loan
}

// A side counts the streams that one of the two has opened.
type side struct {
	next  uint32 // id of the next stream
	alive int
}

// New makes the streams of one side of a session, which share stock with those of others. wake
// must not block.
func New(initiator bool, stock *share.Stock, wake func()) *Mux {
	m := &Mux{wake: wake, streams: make(map[uint32]*Stream), mine: side{next: 2},
		loan: share.Loan{Stock: stock}}
	m.theirs.next = 1
	if initiator {
		m.mine.next, m.theirs.next = 1, 2
	}
	m.changed.L = &m.mu
	return m
}

// Open begins a stream. It waits, until ctx ends, while MaxStreams of this side are alive; it does
// not wait for the far side to accept.
func (m *Mux) Open(ctx context.Context) (*Stream, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.wait(ctx, func() bool { return m.mine.alive < MaxStreams }); err != nil {
		return nil, err
	}
	if m.err != nil {
		return nil, m.err
	}
	if m.mine.next >= 1<<32-2-MaxStreams*2 {
		return nil, ErrUsedUp
	}
	if !m.hold() {
		return nil, ErrCrowded
	}
	s := newStream(m, true)
	m.mine.alive++
	s.queue()
	return s, nil
}

// Accept returns the next stream that the far side has opened.
func (m *Mux) Accept(ctx context.Context) (*Stream, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.wait(ctx, func() bool { return len(m.arrived) > 0 }); err != nil {
		return nil, err
	}
	s := m.arrived[0]
	m.arrived = append(m.arrived[:0], m.arrived[1:]...)
	s.accepted = true
	s.letGo()
	return s, nil
}

// wait returns nil once ready says so, or why it never will.
func (m *Mux) wait(ctx context.Context, ready func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.changed.Broadcast()
	})
	defer stop()
	for {
		switch {
		case ready():
			return nil
		case m.err != nil:
			return m.err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		m.changed.Wait()
	}
}

// Fill appends to the plain bytes of a record as many frames as fit.
func (m *Mux) Fill(plain []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.ready) > 0 {
		s := m.ready[0]
		before := len(plain)
		plain = s.emit(plain)
		if s.hasWork() && len(plain) == before {
			break // the rest of the record is too short for it
		}
		m.ready = append(m.ready[:0], m.ready[1:]...)
		s.queued = false
		s.queue()
	}
	return plain
}

// Pending reports whether Fill has something to give.
func (m *Mux) Pending() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ready) > 0
}

// Receive takes one frame of kind Open, Data, Finish, Stop or Credit. It never blocks; Flush must
// follow, once for any number of frames. After an error the session must end.
func (m *Mux) Receive(f record.Frame) error {
	if len(f.Body) < idSize {
		return ErrProtocol
	}
	id, body := binary.BigEndian.Uint32(f.Body), f.Body[idSize:]
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil
	}
	if f.Kind == record.Open {
		return m.opened(id, body)
	}
	s := m.streams[id]
	if s == nil {
		if m.gone(id) && (f.Kind == record.Stop || f.Kind == record.Credit) {
			return nil // sent before its sender knew
		}
		return ErrProtocol
	}
	return s.receive(f.Kind, body)
}

// Flush wakes those who wait for what Receive has taken.
func (m *Mux) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, s := range m.touched {
		s.touched = false
		s.changed.Broadcast()
		m.touched[i] = nil
	}
	m.touched = m.touched[:0]
}

// opened takes note of a stream of the far side.
func (m *Mux) opened(id uint32, body []byte) error {
	if id != m.theirs.next || len(body) != 0 || m.theirs.alive >= MaxStreams {
		return ErrProtocol
	}
	s := newStream(m, false)
	s.id = id
	m.streams[id] = s
	m.theirs.next += 2
	m.theirs.alive++
	if !m.hold() {
		s.refuse()
		return nil
	}
	m.unheard()
	m.arrived = append(m.arrived, s)
	m.changed.Broadcast()
	return nil
}

// hold reports whether there is memory for the first window of one more stream.
func (m *Mux) hold() bool {
	if m.held >= ownStreams && !m.loan.Take(firstWindow) {
		return false
	}
	m.held++
	return true
}

// unheard forgets, when too many streams wait to be accepted, the oldest of those that the far
// side is done with: it may send what it likes in streams that nobody accepts.
func (m *Mux) unheard() {
	if len(m.arrived) < mostArrived {
		return
	}
	at := slices.IndexFunc(m.arrived, func(s *Stream) bool { return s.gone })
	s := m.arrived[at] // there is one: no more than MaxStreams are alive
	m.arrived = slices.Delete(m.arrived, at, at+1)
	s.accepted, s.in = true, ring{}
	s.letGo()
}

// gone reports whether a stream of that number has been.
func (m *Mux) gone(id uint32) bool {
	if id%2 == m.mine.next%2 {
		return id != 0 && id < m.mine.next
	}
	return id < m.theirs.next
}

// Close ends every stream with err: what was received before can still be read.
func (m *Mux) Close(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return
	}
	m.err = err
	m.loan.Fit(0)
	m.changed.Broadcast()
	for _, s := range m.streams {
		s.changed.Broadcast()
	}
	for _, s := range m.ready { // some have no number yet
		s.changed.Broadcast()
	}
}
