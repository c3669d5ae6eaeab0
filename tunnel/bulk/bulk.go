// Package bulk makes ordered streams of bytes out of packets that may be lost, by QUIC (RFC 9000,
// quic-go). It is given the packets of a session that is already private; QUIC's own TLS adds
// nothing to that, and is pinned to the session all the same. It knows nothing of the session but
// a few secrets and why it ended.
//
// QUIC's goroutines, keys and buffers lie outside the erasure of secrets: who reads the memory of
// the process after a session has ended may find them. They say nothing: what a stream carries is
// veiled before QUIC has it, under a key that is erased, and every QUIC packet crosses the network
// inside a packet of the session.
package bulk

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"nightjar/tunnel/share"

	"github.com/quic-go/quic-go"
)

const (
	// MaxStreams is how many streams each side may have opened and alive.
	MaxStreams = 64

	packetSize   = 1200     // the least that QUIC allows, the most that a packet carries
	firstWindow  = 64 << 10 // bytes that a session may have come without a loan
	streamWindow = 2 << 20  // bytes of one stream that wait to be read, at most
	wholeWindow  = 4 << 20  // of all streams
	handshaking  = 30 * time.Second
	forever      = 10 * 365 * 24 * time.Hour // the session itself notices silence

	opening = 0 // the byte that a stream begins with, so that it is seen before it is written to
)

// ErrStopped: the far side reads no more of this stream.
var ErrStopped = errors.New("far side reads no more of this stream")

// Streams is one side's streams. It is safe for concurrent use.
type Streams struct {
	transport *quic.Transport
	initiator bool
	secrets   *Secrets
	rooms     sync.Pool // of *[chunk]byte
	cancel    context.CancelFunc
	cause     func() error // why the session ended
	ready     chan struct{}
	failed    chan struct{}
	ended     chan struct{}
	conn      *quic.Conn // written before ready closes

	mu     sync.Mutex
	loan   share.Loan // of windows beyond the first
	closed bool
}

// Start begins the streams over pc, which carries packets of 1200 bytes to the far side and none
// else. secrets, which it takes over, are the session's, stock is the memory that sessions share,
// cause is why this one ended. Close must be called.
func Start(pc net.PacketConn, initiator bool, secrets *Secrets, stock *share.Stock,
	cause func() error) *Streams {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Streams{transport: &quic.Transport{Conn: pc}, initiator: initiator, secrets: secrets,
		loan: share.Loan{Stock: stock}, cancel: cancel, cause: cause,
		ready: make(chan struct{}), failed: make(chan struct{}), ended: make(chan struct{})}
	go s.run(ctx)
	return s
}

// run makes the connection and waits for its end.
func (s *Streams) run(ctx context.Context) {
	defer close(s.ended)
	conn, err := s.connect(ctx)
	if err != nil {
		close(s.failed)
		return
	}
	s.conn = conn
	close(s.ready)
	<-conn.Context().Done()
	close(s.failed)
}

func (s *Streams) connect(ctx context.Context) (*quic.Conn, error) {
	conf, err := pinned(s.initiator, s.secrets)
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
		AllowConnectionWindowIncrease:  s.borrow,
	}
	if s.initiator {
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.loan.Fit(0)
}

// borrow is asked before a session may have more bytes come that are not yet read.
func (s *Streams) borrow(_ *quic.Conn, more uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && s.loan.Take(int(more))
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
	t := s.stream(q)
	if err := t.begin(); err != nil {
		return nil, err
	}
	return t, nil
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
		if t := s.stream(q); t.began() {
			return t, nil
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

// room is room for a chunk.
func (s *Streams) room() *[chunk]byte {
	if b, ok := s.rooms.Get().(*[chunk]byte); ok {
		return b
	}
	return new([chunk]byte)
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
