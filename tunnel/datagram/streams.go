// Streams over a session: QUIC in its packets, begun when the first stream is.

package datagram

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/bulk"
	"nightjar/tunnel/packet"
)

// streams is what a session has of QUIC. The initiator is its client: it begins when it has a
// stream to open, or is asked to by the far side.
type streams struct {
	once    sync.Once
	begun   atomic.Bool
	all     *bulk.Streams // written before ready closes
	ready   chan struct{}
	asked   sync.Once
	secrets *bulk.Secrets // until they have begun
}

// OpenStream begins a stream. It waits, until ctx ends, while 64 streams of this side are open,
// and for the first one also for the far side. Streams carry CloseWrite besides the methods of
// net.Conn. They do not move while a clock runs whose packets are too short for them.
func (c *Conn) OpenStream(ctx context.Context) (net.Conn, error) {
	c.streams.asked.Do(c.askForStreams)
	s, err := c.bulk(ctx)
	if err != nil {
		return nil, err
	}
	return s.Open(ctx)
}

// AcceptStream returns the next stream that the far side has begun.
func (c *Conn) AcceptStream(ctx context.Context) (net.Conn, error) {
	s, err := c.bulk(ctx)
	if err != nil {
		return nil, err
	}
	return s.Accept(ctx)
}

// bulk waits for the streams to have begun.
func (c *Conn) bulk(ctx context.Context) (*bulk.Streams, error) {
	select {
	case <-c.streams.ready:
		return c.streams.all, nil
	case <-c.done:
		return nil, c.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// askForStreams begins the streams, or has the far side begin them.
func (c *Conn) askForStreams() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.initiator {
		c.startStreams()
		return
	}
	c.sending[ours].Push([]byte{askStreams})
	signal(c.wake)
}

// knockStreams is told that a stream packet came.
func (c *Conn) knockStreams() {
	if c.streams.begun.Load() || c.initiator {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startStreams()
}

// startStreams begins the streams, with the lock held, unless the session has ended.
func (c *Conn) startStreams() {
	if c.Err() != nil {
		return
	}
	c.streams.once.Do(func() {
		c.streams.begun.Store(true)
		c.streams.all = bulk.Start(&road{c: c, cut: make(chan struct{}, 1)}, c.initiator,
			c.streams.secrets, c.stock, c.Err)
		c.streams.secrets = nil
		close(c.streams.ready)
		c.group.Go(func() {
			select {
			case <-c.done:
			case <-c.streams.all.Done():
				c.end(tunnel.ErrRules) // the far side does not speak QUIC as agreed
			}
			c.streams.all.Close()
		})
	})
}

// A road is the packets of a session as QUIC sees them.
type road struct {
	c    *Conn
	late atomic.Bool
	cut  chan struct{}
}

// nowhere is the address of both ends.
type nowhere struct{}

func (nowhere) Network() string { return "tunnel" }
func (nowhere) String() string  { return "tunnel" }

// ReadFrom waits for the next packet.
func (r *road) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		one := [1][]byte{b}
		if r.c.packets.pop(one[:]...) == 1 {
			return len(one[0]), nowhere{}, nil
		}
		if r.late.Load() {
			return 0, nil, os.ErrDeadlineExceeded
		}
		select {
		case <-r.c.packets.ready:
		case <-r.cut:
		case <-r.c.done:
			return 0, nil, net.ErrClosed
		}
	}
}

// WriteTo sends a packet, in a row with others that come soon.
func (r *road) WriteTo(b []byte, _ net.Addr) (int, error) {
	if len(b) > packet.MaxBody {
		return len(b), nil // never: QUIC was told the limit
	}
	if err := r.c.out.Stream(b); err != nil {
		return 0, net.ErrClosed
	}
	r.c.use()
	signal(r.c.wake)
	return len(b), nil
}

// SetReadDeadline knows two times only: none, and past.
func (r *road) SetReadDeadline(t time.Time) error {
	if r.late.Store(!t.IsZero()); !t.IsZero() {
		signal(r.cut)
	}
	return nil
}

func (r *road) Close() error                     { return nil }
func (r *road) LocalAddr() net.Addr              { return nowhere{} }
func (r *road) SetDeadline(t time.Time) error    { return r.SetReadDeadline(t) }
func (r *road) SetWriteDeadline(time.Time) error { return nil }
func (r *road) SetReadBuffer(int) error          { return nil } // or QUIC would complain to a log
func (r *road) SetWriteBuffer(int) error         { return nil }
