// Package road is how the tunnels of one identity come and go: to onion services and by one of its
// own (Services), or to addresses and by one of its own (Addresses). An identity has one road, and
// what it says of where it can be reached fits that road: who has Services says no address, and
// dials none, since this package gives it nothing to dial one with.
//
// It does not know what is said in the tunnels, nor who the contacts are.
package road

import (
	"context"
	"errors"
	"sync"
	"time"

	"nightjar/node/card"
	"nightjar/onion"
	"nightjar/tunnel"
	"nightjar/tunnel/datagram"
)

// Errors a caller can act on.
var (
	// ErrOther: the record names a place that this road does not lead to. Nothing was tried.
	ErrOther = errors.New("the contact is reached by another way")
	// ErrNowhere: the record names no place: the contact dials, and cannot be dialled.
	ErrNowhere = errors.New("the contact cannot be dialled where it is")
	// ErrNotYet: the road is not open yet, or not any more.
	ErrNotYet = errors.New("the road is not open")
)

// A Road is how tunnels come and go. It is safe for several goroutines.
type Road interface {
	// Run keeps us reachable until ctx ends, and returns when everything it started has ended.
	Run(ctx context.Context)
	// Accept returns the next tunnel that a contact has dialled, or why ctx ended.
	Accept(ctx context.Context) (tunnel.Tunnel, error)
	// Dial makes a tunnel to a contact at the place its record names. Errors are those above, those
	// of the way out and of tunnel, and why ctx ended.
	Dial(ctx context.Context, r card.Reach, p tunnel.Peer) (tunnel.Tunnel, error)
	// Beside makes a second tunnel to where one that was dialled by that record leads now.
	Beside(ctx context.Context, t tunnel.Tunnel, r card.Reach, p tunnel.Peer) (
		tunnel.Tunnel, error)
	// Reach is where the contact in that seat, and nobody else, can reach us now; ErrNotYet before
	// Ready.
	Reach(seat uint16) (card.Reach, error)
	// Reachable reports whether contacts can dial us.
	Reachable() bool
	// Ready is closed when Reach first knows.
	Ready() <-chan struct{}
	// Moved returns a channel that closes when Reach says another place than it does now.
	Moved() <-chan struct{}
	// Renew looks anew at where we can be reached: something has changed.
	Renew()
	// Warnings says in words what keeps contacts away.
	Warnings() []string
	// Exposes says who learns what by the way out.
	Exposes() []onion.Exposure
}

const (
	reachFor = 24 * time.Hour // how long a record is believed
	retry    = 15 * time.Second
)

// Cover hides at low cost whether anything is said on a tunnel: see tunnel.Cover. 0 ends it.
func Cover(t tunnel.Tunnel, mean time.Duration) {
	switch c := t.(type) {
	case *tunnel.Conn:
		c.SetShape(tunnel.Cover(mean))
	case *session:
		s := datagram.Cover()
		s.Every = mean
		c.SetShape(s)
	}
}

// signs tell others that the place where we are reached is known, and that it is another.
type signs struct {
	sign  sync.Mutex
	known bool
	ready chan struct{}
	moved chan struct{}
}

func newSigns() signs {
	return signs{ready: make(chan struct{}), moved: make(chan struct{})}
}

// Ready is closed when Reach first knows.
func (s *signs) Ready() <-chan struct{} { return s.ready }

// Moved returns a channel that closes when Reach says another place than it does now.
func (s *signs) Moved() <-chan struct{} {
	s.sign.Lock()
	defer s.sign.Unlock()
	return s.moved
}

// tell is called when the place has become known, and when it is another.
func (s *signs) tell(another bool) {
	s.sign.Lock()
	defer s.sign.Unlock()
	switch {
	case !s.known:
		s.known = true
		close(s.ready)
	case another:
		close(s.moved)
		s.moved = make(chan struct{})
	}
}

// pause waits for d, a poke or the end of ctx.
func pause(ctx context.Context, d time.Duration, poke <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-poke:
	case <-t.C:
	}
}

// poke wakes whoever waits on ch; a poke that finds one waiting already is enough.
func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// hand gives a tunnel to Accept, or ends it with ctx.
func hand(ctx context.Context, to chan<- tunnel.Tunnel, t tunnel.Tunnel) {
	select {
	case to <- t:
	case <-ctx.Done():
		_ = t.Close()
	}
}

// accept is Accept on the other end of hand.
func accept(ctx context.Context, from <-chan tunnel.Tunnel) (tunnel.Tunnel, error) {
	select {
	case t := <-from:
		return t, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
