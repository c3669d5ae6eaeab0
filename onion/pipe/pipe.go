// Package pipe joins two ends of a stream in memory. Unlike net.Pipe it has a buffer in each
// direction, as a stream through Tor has, so that both sides may write at the same time. It has
// deadlines, and works under the fake clock of testing/synctest.
package pipe

import (
	"io"
	"net"
	"os"
	"sync"
	"time"

	"nightjar/onion/quiet"
)

// Buffer is how many bytes wait in one direction before Write blocks.
const Buffer = 256 << 10

// New returns the two ends of a stream. What is written to one is read from the other; after an end
// is closed, the other reads what is left and then io.EOF, and its writes fail.
func New() (net.Conn, net.Conn) {
	ab, ba := newLane(), newLane()
	return &end{in: ba, out: ab}, &end{in: ab, out: ba}
}

// A lane is one direction.
type lane struct {
	mu       sync.Mutex
	changed  *sync.Cond
	buf      []byte
	closed   bool // by the writer: what is in buf can still be read
	deaf     bool // by the reader: nothing more is taken
	rd, wr   deadline
	bufLimit int
}

func newLane() *lane {
	l := &lane{bufLimit: Buffer}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// A deadline wakes the waiters of its lane when it has passed.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// set must be called with the lane locked.
func (d *deadline) set(l *lane, at time.Time) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if !at.IsZero() {
		d.timer = time.AfterFunc(max(0, time.Until(at)), func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.changed.Broadcast()
		})
	}
	l.changed.Broadcast()
}

func (l *lane) read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.deaf:
			return 0, net.ErrClosed
		case l.rd.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case len(l.buf) > 0:
			n := copy(b, l.buf)
			l.buf = l.buf[n:]
			l.changed.Broadcast()
			return n, nil
		case l.closed:
			return 0, io.EOF
		}
		l.changed.Wait()
	}
}

func (l *lane) write(b []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.closed:
			return n, net.ErrClosed
		case l.wr.passed():
			return n, os.ErrDeadlineExceeded
		case l.deaf:
			return n, io.ErrClosedPipe
		case len(b) == 0:
			return n, nil
		}
		if room := min(l.bufLimit-len(l.buf), len(b)); room > 0 {
			l.buf = append(l.buf, b[:room]...)
			b, n = b[room:], n+room
			l.changed.Broadcast()
			continue
		}
		l.changed.Wait()
	}
}

// An end is one side's view of both lanes.
type end struct{ in, out *lane }

func (e *end) Read(b []byte) (int, error)  { return e.in.read(b) }
func (e *end) Write(b []byte) (int, error) { return e.out.write(b) }

func (e *end) Close() error {
	e.in.mu.Lock()
	e.in.deaf, e.in.buf = true, nil
	e.in.rd.set(e.in, time.Time{})
	e.in.mu.Unlock()
	e.out.mu.Lock()
	e.out.closed = true
	e.out.wr.set(e.out, time.Time{})
	e.out.mu.Unlock()
	return nil
}

func (e *end) SetDeadline(t time.Time) error {
	e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	if e.in.deaf {
		return net.ErrClosed
	}
	e.in.rd.set(e.in, t)
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	if e.out.closed {
		return net.ErrClosed
	}
	e.out.wr.set(e.out, t)
	return nil
}

func (e *end) LocalAddr() net.Addr  { return quiet.Addr{} }
func (e *end) RemoteAddr() net.Addr { return quiet.Addr{} }
