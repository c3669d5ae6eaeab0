// The handshake over a carrier: the calling side and the side that is called.

package tunnel

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"nightjar/tunnel/handshake"
	"nightjar/tunnel/record"
	"nightjar/tunnel/share"
)

const (
	// forgeries is how many answers that do not authenticate Dial passes over.
	forgeries = 3
	// drainLimit is how many bytes are read from a stranger before its carrier is closed.
	drainLimit = 64 << 10
)

// Dial makes a session that shares memory with no other; see Door.Dial.
func Dial(ctx context.Context, c net.Conn, k Key, p Peer) (*Conn, error) {
	return new(Door).Dial(ctx, c, k, p)
}

// Dial makes a session with p over c, which must honour deadlines. It takes c over: on error c is
// closed, and the error is ctx's cause, ErrUnanswered, or ErrCarrier.
func (d *Door) Dial(ctx context.Context, c net.Conn, k Key, p Peer) (*Conn, error) {
	release := interrupt(ctx, c, time.Now().Add(handshakeTime))
	s, err := call(c, k, p)
	if !release() || err != nil {
		c.Close()
		return nil, cause(ctx, err)
	}
	return newConn(c, s, nil, &d.stock)
}

// call sends the first message and waits for the answer that completes it.
func call(c net.Conn, k Key, p Peer) (*handshake.Session, error) {
	in, wire, err := handshake.Start(k, p, handshake.Epoch(time.Now()))
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(wire); err != nil {
		return nil, unanswered(err)
	}
	answer := make([]byte, handshake.Size)
	for range 1 + forgeries {
		if _, err := io.ReadFull(c, answer); err != nil {
			return nil, unanswered(err)
		}
		if s, err := in.Finish(answer); err == nil {
			return s, nil
		}
	}
	return nil, ErrUnanswered
}

// unanswered says of a carrier that ended or ran out of time that nobody answered.
func unanswered(err error) error {
	err = carrierError(err)
	if errors.Is(err, ErrSilent) || errors.Is(err, io.EOF) {
		return ErrUnanswered
	}
	return err
}

// interrupt lets c's reads and writes fail when ctx or the time limit ends. The function it
// returns lifts the limit and reports whether ctx had not ended before.
func interrupt(ctx context.Context, c net.Conn, limit time.Time) (release func() bool) {
	c.SetDeadline(limit)
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	return func() bool {
		if !stop() {
			return false
		}
		c.SetDeadline(time.Time{})
		return true
	}
}

// A Door answers callers and remembers their first messages, so that a recorded one, replayed,
// finds silence. The zero Door is ready. Each listening identity keeps one for as long as it
// listens: what a Door has not seen it cannot refuse.
//
// All sessions of a Door, dialled or accepted, share 64 MiB for what comes by streams and is not
// yet read, beyond 128 KiB that each has for itself. A stream that finds nothing left is refused,
// which its far side sees as its user reading no more.
type Door struct {
	seen  handshake.Memory
	stock share.Stock
}

// Accept makes a session with the contact that calls over c, which must honour deadlines; it takes
// c over. It returns once the caller has shown that it is alive and holds its static key.
//
// Whoever is no contact hears nothing, whatever was sent: c is read and closed at the same random
// time after 45 to 75 seconds or the same number of bytes, and the error is ErrStranger. Callers
// bound how many Accepts run at once. Only the first 1024 of peers are looked at.
func (d *Door) Accept(ctx context.Context, c net.Conn, k Key, peers func() []Peer) (
	*Conn, error) {
	limit := time.Now().Add(handshakeTime*3/4 + rand.N(handshakeTime/2))
	release := interrupt(ctx, c, limit)
	heard := io.LimitReader(c, drainLimit)
	s, first, err := d.answer(c, heard, k, peers)
	if err != nil {
		io.Copy(io.Discard, heard)
	}
	if !release() || err != nil {
		c.Close()
		return nil, cause(ctx, ErrStranger)
	}
	return newConn(c, s, first, &d.stock)
}

// answer reads the first message, answers it, and reads the caller's first record, whose frames
// it returns.
func (d *Door) answer(c io.Writer, heard io.Reader, k Key, peers func() []Peer) (
	*handshake.Session, []byte, error) {
	wire := make([]byte, handshake.Size)
	if _, err := io.ReadFull(heard, wire); err != nil {
		return nil, nil, err
	}
	epoch := handshake.Epoch(time.Now())
	s, reply, err := handshake.Answer(k, peers(), epoch, &d.seen, wire)
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.Write(reply); err != nil {
		return nil, nil, err
	}
	first := wire[:record.Size]
	if _, err := io.ReadFull(heard, first); err != nil {
		return nil, nil, err
	}
	plain, err := s.Receive.Open(first)
	return s, plain, err
}
