// A session of datagrams that looks like any tunnel: its one stream is made of messages.

package road

import (
	"context"
	"net"
	"sync"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/datagram"
)

var _ tunnel.Tunnel = (*session)(nil)

// A session has one stream in each direction, which is there from the beginning and moves also
// while a clock runs, as those of QUIC do not.
type session struct {
	*datagram.Conn
	all stream
}

func newSession(c *datagram.Conn) *session {
	s := &session{Conn: c}
	s.all.conn = c
	return s
}

// OpenStream returns the stream.
func (s *session) OpenStream(context.Context) (net.Conn, error) { return &s.all, s.Err() }

// AcceptStream returns the stream, whether or not anything has come.
func (s *session) AcceptStream(context.Context) (net.Conn, error) { return &s.all, s.Err() }

// A stream is the messages of a session, one after another. One goroutine may read it.
type stream struct {
	conn *datagram.Conn
	rest []byte // of a message that has been read in part

	mu   sync.Mutex
	till time.Time // no read waits longer; zero for none
}

// Read waits for a message, unless there is a rest of the last one.
func (s *stream) Read(b []byte) (int, error) {
	if len(s.rest) == 0 && len(b) > 0 {
		ctx, cancel := s.limit()
		m, err := s.conn.ReceiveMessage(ctx)
		cancel()
		if err != nil {
			return 0, err
		}
		s.rest = m
	}
	n := copy(b, s.rest)
	clear(s.rest[:n])
	s.rest = s.rest[n:]
	return n, nil
}

// limit returns a context that ends at the deadline.
func (s *stream) limit() (context.Context, context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.till.IsZero() {
		return context.Background(), func() {}
	}
	return context.WithDeadline(context.Background(), s.till)
}

// Write sends messages, and waits while too many are on their way.
func (s *stream) Write(b []byte) (n int, err error) {
	for len(b) > 0 && err == nil {
		m := b[:min(len(b), datagram.MaxMessage)]
		if err = s.conn.SendMessage(context.Background(), m); err == nil {
			n, b = n+len(m), b[len(m):]
		}
	}
	return n, err
}

// SetReadDeadline limits the reads that begin after it.
func (s *stream) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.till = t
	return nil
}

// SetDeadline is SetReadDeadline.
func (s *stream) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetWriteDeadline does nothing: a write ends with the session.
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

// nowhere is the address of both ends.
type nowhere struct{}

func (nowhere) Network() string { return "tunnel" }
func (nowhere) String() string  { return "tunnel" }

// Close ends the session.
func (s *stream) Close() error { return s.conn.Close() }

// LocalAddr says nothing.
func (s *stream) LocalAddr() net.Addr { return nowhere{} }

// RemoteAddr says nothing.
func (s *stream) RemoteAddr() net.Addr { return nowhere{} }
