// The handshake over datagrams: calling, with fresh tries that wait longer each time, and
// answering, which strangers cannot tell from nobody being there.

package datagram

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/handshake"
	"nightjar/tunnel/knock"
)

const (
	dialTime = 60 * time.Second // from the first knock to the answer, at most
	firstTry = 300 * time.Millisecond
	lastTry  = 4 * time.Second
	tries    = 4 // of one call whose answers are still taken
)

// A call is one Dial that waits for its answer.
type call struct {
	tries  []*try // newest last
	answer chan answered
}

// A try is one first message. Each is made afresh: a responder takes none twice.
type try struct {
	initiation *handshake.Initiation
	lock       knock.Lock
	half       *knock.Piece
}

type answered struct {
	session *handshake.Session
	from    netip.AddrPort
}

// Dial makes a session with p, who is thought to be at that address. The error is ctx's cause,
// ErrUnanswered, ErrClosed or ErrCarrier.
func (e *Endpoint) Dial(ctx context.Context, p tunnel.Peer, at netip.AddrPort) (*Conn, error) {
	c := &call{answer: make(chan answered, 1)}
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.calls, c)
	}()
	limit := time.NewTimer(dialTime)
	defer limit.Stop()
	var say func() // the newest first message, each sent twice
	for n, wait := 0, firstTry; ; n++ {
		if n%2 == 0 {
			var err error
			if say, err = e.knock(c, p, at); err != nil {
				return nil, err
			}
			wait = min(2*wait, lastTry)
		}
		say()
		again := time.NewTimer(wait*7/8 + rand.N(wait/4))
		select {
		case a := <-c.answer:
			again.Stop()
			return e.dialled(a)
		case <-again.C:
			continue
		case <-limit.C:
			return nil, tunnel.ErrUnanswered
		case <-e.done:
			return nil, tunnel.ErrClosed
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// knock makes one first message, and what sends it.
func (e *Endpoint) knock(c *call, p tunnel.Peer, at netip.AddrPort) (func(), error) {
	epoch := handshake.Epoch(time.Now())
	in, wire, err := handshake.Start(e.key, p, epoch)
	if err != nil {
		return nil, err
	}
	way := knock.Way{Root: p.Root, Epoch: epoch, Initiator: e.self, Responder: p.Static}
	e.mu.Lock()
	e.calls[c] = struct{}{}
	c.tries = append(c.tries, &try{initiation: in, lock: way.Answer(wire)})
	c.tries = c.tries[max(0, len(c.tries)-tries):]
	e.mu.Unlock()
	return e.sender(way.First(), wire, at), nil
}

// sender returns what sends the pieces of a message; each time they are other bytes.
func (e *Endpoint) sender(l knock.Lock, message []byte, to netip.AddrPort) func() {
	return func() {
		for _, piece := range l.Cut(message) {
			e.carrier.Send(piece, len(piece), to) // lost: there are more tries
		}
	}
}

// dialled begins the session that was answered.
func (e *Endpoint) dialled(a answered) (*Conn, error) {
	c, err := newConn(e, a.session, a.from)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.sending[ours].Push([]byte{hello})
	c.mu.Unlock()
	signal(c.wake)
	return c, nil
}

// answer looks at what belongs to no session, one after another.
func (e *Endpoint) answer() {
	var door knock.Door
	for {
		select {
		case <-e.done:
			return
		case c := <-e.knocks:
			if !e.answers(c) {
				e.caller(&door, c)
			}
		}
	}
}

// answers reports whether a datagram is a piece of an answer that is waited for, and takes it.
func (e *Endpoint) answers(c candidate) bool {
	call, t := e.trying(c.wire)
	if t == nil {
		return false
	}
	p, ok := t.lock.Open(c.wire)
	switch {
	case !ok:
		return true
	case t.half == nil || t.half.Message != p.Message:
		t.half = &p
		return true
	case t.half.Index == p.Index:
		return true
	}
	message := knock.Join(*t.half, p)
	t.half = nil
	if s, err := t.initiation.Finish(message); err == nil {
		select {
		case call.answer <- answered{s, c.from}:
		default: // an earlier try was answered as well
		}
	}
	return true
}

// trying finds the try whose answer wire is a piece of.
func (e *Endpoint) trying(wire []byte) (*call, *try) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for c := range e.calls {
		for _, t := range c.tries {
			if t.lock.Marks(wire) {
				return c, t
			}
		}
	}
	return nil, nil
}

// caller takes a piece of a first message, and answers it when it is whole. The session is shown
// to nobody until a packet of the caller has opened.
func (e *Endpoint) caller(d *knock.Door, c candidate) {
	now := time.Now()
	k, whole := d.Take(c.wire, e.self, e.peers, now)
	if !whole {
		return
	}
	s, reply, err := handshake.Answer(e.key, []tunnel.Peer{k.Peer}, handshake.Epoch(now), &e.seen,
		k.Message)
	if errors.Is(err, handshake.ErrReplay) {
		d.Refund(k)
	}
	if err != nil || !slices.Contains(e.peers(), k.Peer) { // no contact any more
		return
	}
	say := e.sender(k.Way.Answer(k.Message), reply, c.from)
	if conn, err := newConn(e, s, c.from); err == nil {
		say()
		conn.mu.Lock()
		conn.keys.again = say
		conn.mu.Unlock()
		signal(conn.wake)
	}
}
