// A road: one packet conn to the DHT, and the operations that share it.

package walk

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/log"
	"golang.org/x/time/rate"
)

const (
	queryTime = 4 * time.Second // a round trip through tor takes up to 2 s
	queryRate = 200             // packets a second, per operation
)

// A Road carries the operations of one identity. Its operations may run at the same time; whoever
// watches its far end sees that they belong together.
type Road struct {
	// Size is how many nodes the network has, as far as is known; 0 when it is not. It is fixed
	// once an operation runs.
	Size float64

	// Wary lets walks look and store at twice as many nodes, because most do not keep what they are
	// given. It is fixed once an operation runs.
	Wary bool

	// Via tells the gateway that the road leads through from others, if it is known; else "". Walks
	// make nothing of it.
	Via string

	guard *guard
	seeds []netip.AddrPort
	kinds [2]bool // whether the conn carries IPv4 and IPv6
	stop  func() bool
	fail  <-chan struct{} // the conn knows that it is lost; or nil

	mu    sync.Mutex
	sizes []float64
	heard []netip.AddrPort

	kept, probed int
}

// Open takes over conn, which is closed by Close or when ctx ends. A conn may have a method
// Lost() <-chan struct{}; operations end when it is closed. It may have a method
// Carries() (ip4, ip6 bool), without which it carries IPv4 alone; and a method
// Allows(netip.AddrPort) bool, when nothing may be sent elsewhere, whatever nodes name: nobody else
// keeps them from naming the machines beside us. The seeds are DHT nodes to begin with.
func Open(ctx context.Context, conn net.PacketConn, seeds []netip.AddrPort) *Road {
	r := &Road{guard: newGuard(conn), kinds: [2]bool{ip4: true}}
	if c, ok := conn.(interface{ Carries() (ip4, ip6 bool) }); ok {
		r.kinds[ip4], r.kinds[ip6] = c.Carries()
	}
	r.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if l, ok := conn.(interface{ Lost() <-chan struct{} }); ok {
		r.fail = l.Lost()
	}
	known := make(map[netip.AddrPort]bool)
	for _, s := range seeds {
		s = netip.AddrPortFrom(s.Addr().Unmap(), s.Port())
		if r.guard.may(s) && r.kinds[kindOf(s.Addr())] && !known[s] {
			known[s] = true
			r.seeds = append(r.seeds, s)
		}
	}
	return r
}

// Close closes the conn and returns when no goroutine of the road is left. No operation may be
// running.
func (r *Road) Close() error {
	r.stop()
	return r.guard.close()
}

// Sizes returns what each whole walk on the road says about the size of the network. Hostile nodes
// can make it anything where they know the target.
func (r *Road) Sizes() []float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sizes
}

// Kept returns how many nodes were to show an item that we had stored before, and how many did: of
// the nearest, one in four. They cannot tell that from somebody's look.
func (r *Road) Kept() (kept, probed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept, r.probed
}

// Heard returns the nodes that answered on the road so far.
func (r *Road) Heard() []netip.AddrPort {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard
}

func (r *Road) learn(size float64) {
	if size > 0 {
		r.mu.Lock()
		r.sizes = append(r.sizes, size)
		r.mu.Unlock()
	}
}

func (r *Road) probe(w *walk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, probed := w.probe()
	r.kept, r.probed = r.kept+kept, r.probed+probed
}

func (r *Road) hear(answered []*peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range answered {
		r.heard = append(r.heard, p.addr)
	}
}

// server is one operation's own stranger in the DHT: read-only, with a node id nobody saw before.
func (r *Road) server() (*dht.Server, *port, error) {
	quiet := log.NewLogger()
	quiet.SetHandlers(log.DiscardHandler)
	p := r.guard.port()
	s, err := dht.NewServer(&dht.ServerConfig{
		Conn: p, NodeId: krpc.RandomNodeID(), NoSecurity: true, Passive: true,
		StartingNodes:    func() ([]dht.Addr, error) { return nil, nil },
		DefaultWant:      r.want(),
		Store:            bep44.NewMemory(), // stays empty: the guard lets no question in
		SendLimiter:      rate.NewLimiter(queryRate, queryRate),
		QueryResendDelay: func() time.Duration { return queryTime },
		Logger:           quiet,
	})
	return s, p, err
}

// want says nodes of which kinds are asked for.
func (r *Road) want() (out []krpc.Want) {
	for kind, w := range []krpc.Want{ip4: krpc.WantNodes, ip6: krpc.WantNodes6} {
		if r.kinds[kind] {
			out = append(out, w)
		}
	}
	return out
}

// do runs f with a walk to key, and returns when every goroutine of it has ended.
func (r *Road) do(ctx context.Context, key [32]byte, f func(context.Context, *walk) error) error {
	s, p, err := r.server()
	if err != nil {
		return ErrLost
	}
	ctx, cancel := context.WithCancel(ctx)
	w := newWalk(s, key, r)
	err = f(ctx, w)
	cancel()
	w.asking.Wait()
	r.hear(w.answered)
	p.end(s.Close)
	return err
}

// Get walks to key and returns the genuine item with the highest seq. When quorum nodes
// hold it, it asks no more; with quorum 0 it asks all that are near. It returns ErrNotFound,
// ErrNoNodes, ErrLost, or the error of ctx.
func (r *Road) Get(ctx context.Context, key [32]byte, quorum int) (Item, error) {
	var found Item
	err := r.do(ctx, key, func(ctx context.Context, w *walk) error {
		w.quorum = quorum
		if err := w.run(ctx); err != nil {
			return err
		}
		if w.best == nil {
			return ErrNotFound
		}
		found = *w.best
		return nil
	})
	return found, err
}

// Stored says how far a Put came.
type Stored struct {
	Acks     int // nodes that say they hold the item now
	Answered int // nodes that answered on the way
}

// Put walks to key, hands the genuine item with the highest seq that is stored there to next (nil
// if there is none), and stores what next returns at the nearest nodes; a cas is never sent. Nodes
// are asked for items with a seq above since only, if it is above 0: the caller knows the others.
// If next returns false nothing is stored, and the error is ErrTaken. Otherwise it is as for Get,
// and never ErrNotFound.
func (r *Road) Put(ctx context.Context, key [32]byte, since int64,
	next func(have *Item) (Item, bool)) (Stored, error) {
	var s Stored
	err := r.do(ctx, key, func(ctx context.Context, w *walk) error {
		if since > 0 {
			w.since = &since
		}
		if err := w.run(ctx); err != nil {
			return err
		}
		s.Answered = len(w.answered)
		r.probe(w)
		item, ok := next(w.best)
		if !ok {
			return ErrTaken
		}
		var err error
		s.Acks, err = w.store(ctx, item)
		return err
	})
	return s, err
}
