// One stream: what its user sees as a net.Conn.

package mux

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A Stream is one ordered stream of bytes in both directions; it meets net.Conn. Close ends both
// directions; what was written before still goes out. CloseWrite ends one.
type Stream struct {
	m       *Mux
	id      uint32 // 0 until Open has been sent
	mine    bool
	queued  bool // has a turn coming
	touched bool // Flush will wake its user

	accepted bool // no longer waits for Accept
	gone     bool // both sides have finished it
	lost     bool // holds nothing, or no more
	changed  sync.Cond
	writing  sync.Mutex // one Write at a time, so that writes stay whole
	sending
	receiving
}

// sending is the direction towards the far side.
type sending struct {
	out      ring
	credit   uint32 // bytes the far side takes
	finish   bool   // Finish leaves after the last byte
	finished bool   // Finish has left
	refused  bool   // Stop has come
	outLimit deadline
}

// receiving is the direction from the far side.
type receiving struct {
	in       ring
	allowed  uint32 // bytes the far side may still send
	window   uint32 // how much it may have on the way
	consumed uint32 // read since the last credit was given
	grant    uint32 // credit not yet sent
	stop     bool   // Stop is to leave
	closed   bool   // nothing is read any more
	ended    bool   // Finish has come
	inLimit  deadline
}

func newStream(m *Mux, mine bool) *Stream {
	s := &Stream{m: m, mine: mine, accepted: mine}
	s.changed.L = &m.mu
	s.credit, s.allowed, s.window = firstWindow, firstWindow, firstWindow
	return s
}

// Read returns what has come, waiting for at least one byte; io.EOF after the far side's last.
func (s *Stream) Read(b []byte) (int, error) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, net.ErrClosed
		case len(b) == 0:
			return 0, nil
		case s.in.size > 0:
			n := s.in.pop(b)
			s.consume(n)
			return n, nil
		case s.ended:
			return 0, io.EOF
		case s.m.err != nil:
			return 0, s.m.err
		case s.inLimit.passed:
			return 0, os.ErrDeadlineExceeded
		}
		s.changed.Wait()
	}
}

// consume gives credit for n bytes read, in halves of the window, and doubles the window of a
// stream that is read as fast as it fills, as far as all of them have room.
func (s *Stream) consume(n int) {
	s.consumed += uint32(n)
	if s.ended || s.consumed < s.window/2 {
		return
	}
	s.grant += s.consumed
	s.consumed = 0
	if s.window < lastWindow && s.m.grown+s.window <= allWindows &&
		s.m.err == nil && s.m.loan.Take(int(s.window)) {
		s.m.grown += s.window
		s.grant += s.window
		s.window *= 2
	}
	s.queue()
}

// Write returns once all of b is on its way or waits in this stream's buffer.
func (s *Stream) Write(b []byte) (total int, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	for {
		switch {
		case s.refused:
			return total, ErrStopped
		case s.finish:
			return total, net.ErrClosed
		case s.m.err != nil:
			return total, s.m.err
		case s.outLimit.passed:
			return total, os.ErrDeadlineExceeded
		case len(b) == 0:
			return total, nil
		}
		n := min(len(b), sendBuffer-s.out.size)
		if n == 0 {
			s.changed.Wait()
			continue
		}
		s.out.push(b[:n])
		b, total = b[n:], total+n
		s.queue()
	}
}

// CloseWrite tells the far side that nothing more comes after what was written.
func (s *Stream) CloseWrite() error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.finish = true
	s.changed.Broadcast()
	s.queue()
	return nil
}

// Close ends both directions.
func (s *Stream) Close() error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed, s.finish, s.stop = true, true, !s.ended
	s.grant, s.in = 0, ring{}
	s.inLimit.set(s, time.Time{})
	s.outLimit.set(s, time.Time{})
	s.changed.Broadcast()
	s.queue()
	return nil
}

// refuse closes a stream that nobody will see: what comes by it is dropped.
func (s *Stream) refuse() {
	s.accepted, s.lost = true, true
	s.closed, s.finish, s.stop = true, true, true
	s.queue()
}

// SetDeadline limits Read and Write.
func (s *Stream) SetDeadline(t time.Time) error {
	s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

// SetReadDeadline limits Read.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.limit(&s.inLimit, t) }

// SetWriteDeadline limits Write.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.limit(&s.outLimit, t) }

func (s *Stream) limit(d *deadline, t time.Time) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	d.set(s, t)
	return nil
}

// An address is what a stream answers when asked for one: nothing.
type address struct{}

func (address) Network() string { return "tunnel" }
func (address) String() string  { return "tunnel" }

// LocalAddr names no place.
func (s *Stream) LocalAddr() net.Addr { return address{} }

// RemoteAddr names no place.
func (s *Stream) RemoteAddr() net.Addr { return address{} }

// A deadline wakes the stream's waiters when it passes.
type deadline struct {
	timer  *time.Timer
	passed bool
}

// set is called with the lock held.
func (d *deadline) set(s *Stream, t time.Time) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = !t.IsZero() && !t.After(time.Now())
	if d.passed {
		s.changed.Broadcast()
	}
	if t.IsZero() || d.passed {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(t), func() {
		s.m.mu.Lock()
		defer s.m.mu.Unlock()
		if d.timer == timer {
			d.passed = true
			s.changed.Broadcast()
		}
	})
	d.timer = timer
}
