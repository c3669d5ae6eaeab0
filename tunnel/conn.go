// The connection that two contacts have: its users' side, and its life from the handshake to the
// end.

package tunnel

import (
	"context"
	"net"
	"sync"
	"time"

	"nightjar/tunnel/handshake"
	"nightjar/tunnel/mux"
	"nightjar/tunnel/record"
	"nightjar/tunnel/share"
)

// A Conn is a session between two contacts. Its methods are safe for concurrent use.
//
// Three goroutines live in it: read takes records from the carrier, write alone writes to it, and
// keep watches the age of the keys. end tells all of them; Close waits for them.
type Conn struct {
	carrier   net.Conn
	initiator bool
	peer      [32]byte
	binding   [32]byte

	streams *mux.Mux
	out     outbox
	in      chan []byte   // datagrams that have come; full: the oldest is dropped
	wake    chan struct{} // holds one when something waits to be sent
	used    chan struct{} // holds one when the session was used since the keys were renewed
	shape   chan Shape
	keys    keys

	closing     chan struct{} // Close has been called
	closingOnce sync.Once
	done        chan struct{} // the session has ended
	doneOnce    sync.Once
	err         error // why; written before done closes
	group       sync.WaitGroup
}

// newConn starts the session. first is the plaintext of a record that came with the handshake, or
// nil; stock is the memory that it shares with others.
func newConn(c net.Conn, s *handshake.Session, first []byte, stock *share.Stock) (*Conn, error) {
	conn := &Conn{
		carrier:   c,
		initiator: s.Initiator,
		peer:      s.Peer,
		binding:   s.Binding,
		in:        make(chan []byte, queued),
		wake:      make(chan struct{}, 1),
		used:      make(chan struct{}, 1),
		shape:     make(chan Shape, 1),
		closing:   make(chan struct{}),
		done:      make(chan struct{}),
	}
	conn.streams = mux.New(s.Initiator, stock.Of(s.Peer), conn.stir)
	conn.keys = keys{session: s, since: time.Now(), renewed: make(chan struct{}, 1)}
	r := &reader{c: conn, lane: s.Receive}
	if first != nil {
		if err := r.take(first); err != nil {
			c.Close()
			return nil, sessionError(err)
		}
	}
	w := &writer{c: conn, lane: s.Send}
	for _, run := range []func(){r.run, w.run, conn.keep} {
		conn.group.Go(func() { record.Erasing(run) }) // what is said passes through them
	}
	return conn, nil
}

// Peer is the static key of the far side, which the handshake has proved.
func (c *Conn) Peer() [32]byte { return c.peer }

// Binding is a public value that is equal on both sides and belongs to this session alone; short
// authentication words are made of it. It does not change when keys are renewed.
func (c *Conn) Binding() [32]byte { return c.binding }

// Initiator reports whether this side dialled.
func (c *Conn) Initiator() bool { return c.initiator }

// OpenStream begins a stream. It does not wait for the far side; it waits, until ctx ends, while
// 64 streams of this side are open. Streams carry CloseWrite besides the methods of net.Conn.
func (c *Conn) OpenStream(ctx context.Context) (net.Conn, error) {
	s, err := c.streams.Open(ctx)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// AcceptStream returns the next stream that the far side has begun.
func (c *Conn) AcceptStream(ctx context.Context) (net.Conn, error) {
	s, err := c.streams.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// SendDatagram queues a copy of b, at most MaxDatagram bytes, to leave before any stream data. It
// never blocks: when 64 datagrams wait, the oldest is dropped. Datagrams arrive whole and in
// order, or not at all.
func (c *Conn) SendDatagram(b []byte) error {
	if len(b) > MaxDatagram {
		return ErrTooLong
	}
	if err := c.Err(); err != nil {
		return err
	}
	c.out.push(b)
	c.stir()
	return nil
}

// ReceiveDatagram returns the next datagram of the far side. When 64 wait to be received, the
// oldest is dropped.
func (c *Conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	select {
	case b := <-c.in:
		return b, nil
	default:
	}
	select {
	case b := <-c.in:
		return b, nil
	case <-c.done:
		return nil, c.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// SetClock is SetShape(Clock(every)).
func (c *Conn) SetClock(every time.Duration) { c.SetShape(Clock(every)) }

// SetShape sets when the records of this side leave, from now on.
func (c *Conn) SetShape(s Shape) {
	for {
		select {
		case c.shape <- s:
			return
		case <-c.shape: // one that was not yet heeded
		}
	}
}

// Done is closed when the session has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the session ended, or nil while it lives.
func (c *Conn) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Close ends the session: it tries for at most a second to send what waits, tells the far side,
// closes the carrier, and returns when every goroutine has ended. While records wait for a Shape
// only one more leaves.
func (c *Conn) Close() error {
	c.closingOnce.Do(func() {
		c.carrier.SetWriteDeadline(time.Now().Add(linger))
		close(c.closing)
	})
	c.group.Wait()
	return nil
}

// end ends the session for the reason err, of which the first counts.
func (c *Conn) end(err error) {
	c.doneOnce.Do(func() {
		select {
		case <-c.closing:
			err = ErrClosed
		default:
		}
		c.err = sessionError(err)
		close(c.done)
		c.streams.Close(c.err)
		c.carrier.SetDeadline(time.Unix(1, 0))
	})
}

// stir tells write that something waits, and keep that the session is in use.
func (c *Conn) stir() {
	signal(c.wake)
	signal(c.used)
}

// signal leaves one token in a channel that holds at most one.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
