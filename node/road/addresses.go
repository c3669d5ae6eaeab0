// The road by addresses: one socket for all tunnels, on which strangers find silence.

package road

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"nightjar/node/card"
	"nightjar/onion"
	"nightjar/tunnel"
	"nightjar/tunnel/datagram"
)

const (
	// While no tunnel stands the socket sends something so often: a NAT forgets what is silent for
	// half a minute.
	lookOften = 25 * time.Second
	lookRare  = 2 * time.Minute
	rounds    = 3 // of questions, before it is left for the next time
)

// Addresses is the road by addresses. Its fields are fixed once it is used.
type Addresses struct {
	Packets onion.Packets
	Key     tunnel.Key
	Peers   func() []tunnel.Peer    // who may dial us
	Nodes   func() []netip.AddrPort // DHT nodes, the best first: they are asked for our address
	Tell    func(words string)      // what goes on, for people
	Up      func()                  // contacts can dial us

	// Allowed says where anything may be sent. Nobody is pinged or dialled elsewhere, and no node
	// is believed that sees us elsewhere.
	Allowed func(netip.AddrPort) bool
}

// NewAddresses returns the road by addresses.
func NewAddresses(c Addresses) Road {
	return &addresses{Addresses: c, signs: newSigns(), check: make(chan struct{}, 1),
		came: make(chan tunnel.Tunnel)}
}

type addresses struct {
	Addresses
	signs
	check chan struct{} // holds one when our address may be another
	came  chan tunnel.Tunnel

	mu   sync.Mutex
	end  *datagram.Endpoint // nil while there is no socket
	live []*session
	own  netip.AddrPort   // as others see us; not valid: not known, or of no use
	why  verdict          // why own is as it is
	by   []netip.AddrPort // nodes that said so
}

// Run keeps a socket open, and takes in who dials it. One that fails is replaced.
func (a *addresses) Run(ctx context.Context) {
	for ctx.Err() == nil {
		pc, err := a.Packets.ListenPacket(ctx)
		if err == nil {
			a.serve(ctx, pc)
			pause(ctx, time.Second, nil)
			continue
		}
		a.Tell("no socket could be opened; again soon")
		pause(ctx, retry, a.check)
	}
}

// serve takes in tunnels until the socket fails or ctx ends.
func (a *addresses) serve(ctx context.Context, pc net.PacketConn) {
	w := newWire(pc, a.Allowed)
	e := datagram.New(w, a.Key, a.Peers)
	a.mu.Lock()
	a.end = e
	a.mu.Unlock()
	here, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { do(func() { a.watch(here, w) }) })
	for {
		c, err := e.Accept(ctx)
		if err != nil {
			break
		}
		hand(ctx, a.came, a.keep(c))
	}
	cancel()
	watch.Wait()
	a.mu.Lock()
	a.end = nil
	a.mu.Unlock()
	_ = e.Close()
}

// keep notes a session that stands.
func (a *addresses) keep(c *datagram.Conn) *session {
	s := newSession(c)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.live = append(slices.DeleteFunc(a.live, ended), s)
	return s
}

func ended(s *session) bool { return s.Err() != nil }

// Accept returns the next tunnel that a contact has dialled.
func (a *addresses) Accept(ctx context.Context) (tunnel.Tunnel, error) {
	return accept(ctx, a.came)
}

// Dial knocks at the addresses of a record, one after another, for KnockTime in all.
func (a *addresses) Dial(ctx context.Context, r card.Reach, p tunnel.Peer) (
	tunnel.Tunnel, error) {
	if r.Service != "" {
		return nil, ErrOther
	}
	a.mu.Lock()
	e, at := a.end, dialable(a.own, r.At, a.Allowed)
	a.mu.Unlock()
	switch {
	case len(at) == 0:
		return nil, ErrNowhere
	case e == nil:
		return nil, ErrNotYet
	}
	last := error(nil)
	for _, to := range at {
		one, cancel := context.WithTimeoutCause(ctx, KnockTime/time.Duration(len(at)),
			tunnel.ErrUnanswered)
		c, err := e.Dial(one, p, to)
		cancel()
		if err == nil {
			return a.keep(c), nil
		}
		if last = err; ctx.Err() != nil {
			break
		}
	}
	return nil, last
}

// Beside knocks where the packets of a session go now.
func (a *addresses) Beside(ctx context.Context, t tunnel.Tunnel, r card.Reach, p tunnel.Peer) (
	tunnel.Tunnel, error) {
	a.mu.Lock()
	e := a.end
	a.mu.Unlock()
	first, ok := t.(*session)
	switch {
	case !ok:
		return nil, ErrNowhere
	case e == nil:
		return nil, ErrNotYet
	}
	c, err := e.Dial(ctx, p, first.Far())
	if err != nil {
		return nil, err
	}
	return a.keep(c), nil
}

// Reach names our address. It is the same for all contacts.
func (a *addresses) Reach(uint16) (card.Reach, error) {
	select {
	case <-a.Ready():
	default:
		return card.Reach{}, ErrNotYet
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r := card.Reach{Expires: time.Now().Add(reachFor)}
	if a.own.IsValid() {
		r.At = []netip.AddrPort{a.own}
	}
	return r, nil
}

// Reachable reports whether our address is known and can be dialled.
func (a *addresses) Reachable() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.own.IsValid()
}

// Renew looks at once whether our address is another, and tells those who are connected.
func (a *addresses) Renew() {
	a.mu.Lock()
	e := a.end
	a.by = nil
	a.mu.Unlock()
	if e != nil {
		e.Moved()
	}
	poke(a.check)
}

// Warnings says why contacts cannot dial us.
func (a *addresses) Warnings() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.own.IsValid():
		return nil
	case a.why == shifting:
		return []string{"the network gives each destination another port: contacts cannot call " +
			"in; those who can be reached themselves are called"}
	}
	return []string{"no DHT nodes agreed on the address of this way out yet: contacts cannot " +
		"call in; those who can be reached themselves are called"}
}

// Exposes says who learns what by the way out.
func (a *addresses) Exposes() []onion.Exposure { return a.Packets.Exposes() }

// watch keeps an eye on our address, and the NAT's on us.
func (a *addresses) watch(ctx context.Context, w *wire) {
	for ctx.Err() == nil {
		a.look(ctx, w)
		wait := lookOften
		a.mu.Lock()
		a.live = slices.DeleteFunc(a.live, ended)
		if len(a.live) > 0 && a.own.IsValid() || a.why == shifting {
			wait = lookRare
		}
		a.mu.Unlock()
		pause(ctx, wait-rand.N(wait/5), a.check)
	}
}

// look asks one of the nodes that told us our address; if it does not say the same, several.
func (a *addresses) look(ctx context.Context, w *wire) {
	a.mu.Lock()
	own, by := a.own, a.by
	a.mu.Unlock()
	if len(by) > 0 {
		seen := w.ask(ctx, []netip.AddrPort{by[rand.IntN(len(by))]})
		if len(seen) == 1 && seen[0] == own {
			return
		}
	}
	for range rounds {
		nodes := apart(a.Nodes(), panel, a.Allowed)
		if own, why := judge(w.ask(ctx, nodes)); why != unknown {
			a.settle(own, why, nodes)
			break
		}
		if ctx.Err() != nil {
			return
		}
	}
	a.tell(false) // there may be no address to tell; then we only dial
}

// settle takes note of our address as others see it.
func (a *addresses) settle(own netip.AddrPort, why verdict, by []netip.AddrPort) {
	a.mu.Lock()
	was, e := a.own, a.end
	a.own, a.why, a.by = own, why, by
	a.mu.Unlock()
	if own == was {
		return
	}
	if was.IsValid() && e != nil {
		e.Moved()
	}
	a.tell(true)
	if own.IsValid() {
		a.Up()
	}
}
