// Package datagram makes private connections between contacts out of one carrier of datagrams that
// it is given: many sessions on one socket, found by the ids in their packets and never by where
// they come from. A session goes on when the far side's address changes. It knows nothing of how
// contacts find each other or what carries the datagrams.
//
//	knock     handshake messages, in pieces that look like packets; strangers hear nothing
//	packet    sealed packets, their numbers and sizes, and the frames of control packets
//	retry     small messages, each once and in order
//	roam      where packets go
//	outlet    where they leave, as they come or by a clock
//	batch     rows of them at once, where the system can
//	bulk      streams, by QUIC inside packets, veiled
//	share     memory, of which each session has some and all the rest together
//
// Keys are renewed by a whole new handshake inside the session every two minutes of use. A session
// that has heard nothing authentic for a minute ends.
package datagram

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"nightjar/tunnel"
	"nightjar/tunnel/batch"
	"nightjar/tunnel/handshake"
	"nightjar/tunnel/outlet"
	"nightjar/tunnel/record"
	"nightjar/tunnel/share"
)

const (
	maxSessions = 1024 // of an endpoint; further ones find silence
	perContact  = 4    // sessions of one contact; a further one ends the oldest
	unaccepted  = 16   // sessions that wait for Accept; further ones find silence
	candidates  = 32   // datagrams that wait to be looked at for a knock
)

// An Endpoint is all sessions of one identity on one carrier. It has two goroutines of its own and
// one for each session. Its methods are safe for concurrent use.
type Endpoint struct {
	carrier *batch.Carrier
	rows    outlet.Rows
	pools   pools
	stock   share.Stock
	key     tunnel.Key
	self    [32]byte
	peers   func() []tunnel.Peer
	seen    handshake.Memory

	lanes lanes

	mu     sync.RWMutex
	conns  map[*Conn]uint64 // and when each began, by count
	calls  map[*call]struct{}
	begun  uint64
	closed bool

	knocks   chan candidate // full: the newest is dropped
	accepted chan *Conn
	done     chan struct{}
	once     sync.Once
	group    sync.WaitGroup
}

// New takes pc over, whose addresses must be *net.UDPAddr. peers lists who may call; only the
// first 1024 are looked at.
func New(pc net.PacketConn, k tunnel.Key, peers func() []tunnel.Peer) *Endpoint {
	e := &Endpoint{
		carrier:  batch.New(pc),
		key:      k,
		self:     k.AgreementKey(),
		peers:    peers,
		conns:    make(map[*Conn]uint64),
		calls:    make(map[*call]struct{}),
		knocks:   make(chan candidate, candidates),
		accepted: make(chan *Conn, unaccepted),
		done:     make(chan struct{}),
	}
	r := &reader{e: e, buf: e.pools.room(batch.MaxRow)}
	for _, run := range []func(){r.run, e.answer} {
		e.group.Go(func() { record.Erasing(run) }) // what is said passes through them
	}
	return e
}

// Accept returns the next session that a contact has begun.
func (e *Endpoint) Accept(ctx context.Context) (*Conn, error) {
	select {
	case c := <-e.accepted:
		return c, nil
	case <-e.done:
		return nil, tunnel.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Moved tells every far side at once that this side's address has changed. Without it they learn
// of it by the next packet, and whoever watches both addresses can link them by the ids.
func (e *Endpoint) Moved() {
	for _, c := range e.sessions() {
		c.turn()
		signal(c.wake)
	}
}

// Close ends every session, closes the carrier, and returns when every goroutine has ended.
func (e *Endpoint) Close() error {
	all := e.shut()
	for _, c := range all {
		c.leave()
	}
	for _, c := range all {
		c.Close()
	}
	e.once.Do(func() { close(e.done) })
	e.carrier.Close()
	e.group.Wait()
	return nil
}

// broken ends every session: the carrier has failed.
func (e *Endpoint) broken() {
	for _, c := range e.shut() {
		c.end(tunnel.ErrCarrier)
	}
	e.once.Do(func() { close(e.done) })
}

// shut takes no further sessions, and returns those that are.
func (e *Endpoint) shut() []*Conn {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	return e.sessions()
}

func (e *Endpoint) sessions() []*Conn {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make([]*Conn, 0, len(e.conns))
	for c := range e.conns {
		all = append(all, c)
	}
	return all
}

// admit makes a session one of the endpoint's. When its contact has too many, the oldest ends.
func (e *Endpoint) admit(c *Conn) bool {
	e.mu.Lock()
	if e.closed || len(e.conns) >= maxSessions {
		e.mu.Unlock()
		return false
	}
	e.begun++
	e.conns[c] = e.begun
	n, oldest := 0, c
	for other, at := range e.conns {
		if other.peer == c.peer {
			n++
			if at < e.conns[oldest] {
				oldest = other
			}
		}
	}
	e.mu.Unlock()
	if n > perContact {
		oldest.leave()
	}
	return true
}

// dismiss forgets a session.
func (e *Endpoint) dismiss(c *Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
}

// deliver hands a proved session to Accept, or ends it when too many wait.
func (e *Endpoint) deliver(c *Conn) {
	select {
	case e.accepted <- c:
	default:
		c.leave()
	}
}

// A candidate is a datagram that belongs to no session.
type candidate struct {
	wire []byte
	from netip.AddrPort
}
