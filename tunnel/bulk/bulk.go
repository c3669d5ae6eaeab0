// Package bulk makes ordered streams of bytes out of packets that may be lost, by QUIC (RFC 9000,
// quic-go). It is given the packets of a session that is already private; QUIC's own TLS adds
// nothing to that, and is pinned to the session all the same. It knows nothing of the session but
// the seeds of the pin and why it ended.
//
// Keys of QUIC lie outside the erasure of secrets: who reads the memory of the process after a
// session has ended may find them. They open nothing by themselves, for every QUIC packet crosses
// the network inside a packet of the session.
package bulk

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/quic-go/quic-go"
)

const (
	// MaxStreams is how many streams each side may have opened and alive.
	MaxStreams = 64

	packetSize   = 1200 // the least that QUIC allows, the most that a packet carries
	firstWindow  = 256 << 10
	streamWindow = 2 << 20 // bytes of one stream that wait to be read, at most
	wholeWindow  = 4 << 20 // of all streams
	handshaking  = 30 * time.Second
	forever      = 10 * 365 * 24 * time.Hour // the session itself notices silence

	opening = 0 // the byte that a stream begins with, so that it is seen before it is written to
)

// ErrStopped: the far side reads no more of this stream.
var ErrStopped = errors.New("far side reads no more of this stream")

// Streams is one side's streams. It is safe for concurrent use.
type Streams struct {
	transport *quic.Transport
	cancel    context.CancelFunc
	cause     func() error // why the session ended
	ready     chan struct{}
	failed    chan struct{}
	ended     chan struct{}
	conn      *quic.Conn // written before ready closes
}

// Start begins the streams over pc, which carries packets of 1200 bytes to the far side and none
// else. seeds are secrets of the session, cause is why it ended. Close must be called.
func Start(pc net.PacketConn, initiator bool, seeds Seeds, cause func() error) *Streams {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Streams{transport: &quic.Transport{Conn: pc}, cancel: cancel, cause: cause,
		ready: make(chan struct{}), failed: make(chan struct{}), ended: make(chan struct{})}
	go s.run(ctx, initiator, seeds)
	return s
}

// run makes the connection and waits for its end.
func (s *Streams) run(ctx context.Context, initiator bool, seeds Seeds) {
	defer close(s.ended)
	conn, err := s.connect(ctx, initiator, seeds)
	if err != nil {
		close(s.failed)
		return
	}
	s.conn = conn
	close(s.ready)
	<-conn.Context().Done()
	close(s.failed)
}

func (s *Streams) connect(ctx context.Context, initiator bool, seeds Seeds) (*quic.Conn, error) {
	conf, err := pinned(initiator, seeds)
	if err != nil {
		return nil, err
	}
	rules := &quic.Config{
		Versions:                       []quic.Version{quic.Version1},
		HandshakeIdleTimeout:           handshaking,
		MaxIdleTimeout:                 forever,
		InitialStreamReceiveWindow:     firstWindow,
		MaxStreamReceiveWindow:         streamWindow,
		InitialConnectionReceiveWindow: firstWindow,
		MaxConnectionReceiveWindow:     wholeWindow,
		MaxIncomingStreams:             MaxStreams,
		MaxIncomingUniStreams:          -1,
		InitialPacketSize:              packetSize,
		DisablePathMTUDiscovery:        true,
	}
	if initiator {
		return s.transport.Dial(ctx, s.transport.Conn.LocalAddr(), conf, rules)
	}
	l, err := s.transport.Listen(conf, rules)
	if err != nil {
		return nil, err
	}
	return l.Accept(ctx)
}

// Done is closed when the streams have failed.
func (s *Streams) Done() <-chan struct{} { return s.failed }

// Close ends all streams and returns when what belongs to them has ended.
func (s *Streams) Close() {
	s.cancel()
	select {
	case <-s.ready:
		s.conn.CloseWithError(0, "")
	case <-s.ended:
	}
	s.transport.Close()
	<-s.ended
}

// Open begins a stream. It waits, until ctx ends, for the far side, and while MaxStreams of this
// side are open.
func (s *Streams) Open(ctx context.Context) (net.Conn, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	q, err := s.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, s.why(ctx, err)
	}
	if _, err := q.Write([]byte{opening}); err != nil {
		return nil, s.why(ctx, err)
	}
	return &stream{q, s}, nil
}

// Accept returns the next stream that the far side has begun.
func (s *Streams) Accept(ctx context.Context) (net.Conn, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	for {
		q, err := s.conn.AcceptStream(ctx)
		if err != nil {
			return nil, s.why(ctx, err)
		}
		var first [1]byte
		if _, err := io.ReadFull(q, first[:]); err == nil && first[0] == opening {
			return &stream{q, s}, nil
		}
		q.CancelRead(0)
		q.CancelWrite(0)
	}
}

// wait returns when streams can be had, or why they never can.
func (s *Streams) wait(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	case <-s.failed:
		return s.why(ctx, net.ErrClosed)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// why translates QUIC's errors, which may hold words of the far side.
func (s *Streams) why(ctx context.Context, err error) error {
	var refused *quic.StreamError
	switch {
	case err == nil, err == io.EOF:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.As(err, &refused) && refused.Remote:
		return ErrStopped
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if err := s.cause(); err != nil {
		return err
	}
	return net.ErrClosed
}

// A stream is one stream as its user sees it.
type stream struct {
	*quic.Stream
	s *Streams
}

// Read reads what has come.
func (t *stream) Read(b []byte) (int, error) {
	n, err := t.Stream.Read(b)
	return n, t.s.why(context.Background(), err)
}

// Write returns once b is on its way or waits in QUIC's buffer.
func (t *stream) Write(b []byte) (int, error) {
	n, err := t.Stream.Write(b)
	return n, t.s.why(context.Background(), err)
}

// CloseWrite tells the far side that nothing more comes after what was written.
func (t *stream) CloseWrite() error { return t.Stream.Close() }

// Close ends both directions; what was written before still goes out.
func (t *stream) Close() error {
	t.Stream.CancelRead(0)
	return t.Stream.Close()
}

func (t *stream) LocalAddr() net.Addr  { return t.s.transport.Conn.LocalAddr() }
func (t *stream) RemoteAddr() net.Addr { return t.s.transport.Conn.LocalAddr() }
