// The walk: ask the nodes that are known to be nearest for nearer ones, until there are none.

package walk

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
)

const (
	alpha       = 16  // questions in flight, not counting those that take too long
	near        = 8   // the nearest so many nodes hold an item (BEP44)
	wide        = 16  // where we store, and look before we say that there is nothing
	wider       = 32  // the same, where most nodes do not keep what they are given
	probes      = 4   // one in so many nodes shall show that it has kept an item
	maxAsked    = 128 // nodes a walk asks; each names at most maxNodes others
	minPatience = 500 * time.Millisecond
)

// peer is a node as one walk knows it.
type peer struct {
	addr  netip.AddrPort
	id    [20]byte
	named bool // the id is known
	asked time.Time
	token string

	scout  bool // was asked about the neighbourhood, not about the item
	helped bool // was asked about the neighbourhood as well
	probed bool // was asked to show an item that we stored before
	kept   bool // and did
}

// answer is what became of one question.
type answer struct {
	peer  *peer
	reply *krpc.Return // nil: none came
}

// walk is one operation. All fields belong to the goroutine that calls run and store; questions run
// beside it and report through answers.
type walk struct {
	server *dht.Server
	road   *Road
	key    [32]byte
	target [20]byte
	quorum int
	since  *int64 // seq that is known; nil: none

	known    map[netip.AddrPort]bool
	waiting  []*peer // nobody asked them yet, nearest first
	flying   []*peer // asked, and silent so far
	answered []*peer // nearest first
	answers  chan answer
	asking   sync.WaitGroup
	asked    int
	scouts   int
	inside   int           // nodes known that stand where 8 are expected
	close    int           // and where 2 are
	trips    time.Duration // sum of the round trips of those that answered

	best   *Item
	copies int // of best
}

func newWalk(s *dht.Server, key [32]byte, r *Road) *walk {
	w := &walk{server: s, road: r, key: key, target: Target(key),
		known: make(map[netip.AddrPort]bool), answers: make(chan answer, maxAsked+maxScouts)}
	for _, i := range rand.Perm(len(r.seeds)) {
		w.meet(peer{addr: r.seeds[i]})
	}
	return w
}

// run walks until nobody nearer is left to ask. When quorum copies were found it asks nobody else,
// but hears out those it asked: the newest item must win over a quorum of replays.
func (w *walk) run(ctx context.Context) error {
	tick := time.NewTicker(minPatience / 4)
	defer tick.Stop()
	var last <-chan time.Time
	for {
		if last == nil && w.quorum > 0 && w.copies >= w.quorum {
			last = time.After(max(w.trip()*3/2, minPatience/4)) // those asked may know a newer one
		}
		fresh := w.fly(ctx, last == nil)
		if fresh == 0 && (len(w.flying) == 0 || len(w.answered) >= near/2) {
			break
		}
		select {
		case a := <-w.answers:
			w.take(a)
		case <-tick.C:
		case <-last:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-w.road.guard.lost:
			return ErrLost
		case <-w.road.fail:
			return ErrLost
		}
	}
	if len(w.answered) == 0 {
		return ErrNoNodes
	}
	w.road.learn(w.size())
	return nil
}

// fly asks whom it makes sense to ask now, if more is set, and returns how many questions are worth
// waiting for: they may be answered in good time, by one of the nearest.
func (w *walk) fly(ctx context.Context, more bool) (worth int) {
	fresh, patience := 0, w.patience()
	for _, p := range w.flying {
		if time.Since(p.asked) < patience {
			fresh++
			if p.scout || w.useful(p) {
				worth++
			}
		}
	}
	for more && fresh < alpha && w.asked < maxAsked {
		p := w.next()
		if p == nil {
			break
		}
		worth++
		p.asked = time.Now()
		w.flying = append(w.flying, p)
		w.asked++
		fresh++
		p.probed = w.since != nil && rand.IntN(probes) == 0
		w.asking.Go(func() { w.answers <- answer{p, w.ask(ctx, "get", p, w.target)} })
	}
	for more && fresh < alpha {
		p := w.scout()
		if p == nil {
			break
		}
		fresh, worth = fresh+1, worth+1
		w.flying = append(w.flying, p)
		about := w.nearby()
		w.asking.Go(func() { w.answers <- answer{p, w.ask(ctx, "find_node", p, about)} })
	}
	return worth
}

// patience is how long a question counts as in flight: some mean round trips.
func (w *walk) patience() time.Duration {
	if len(w.answered) == 0 {
		return queryTime
	}
	return min(max(3*w.trip(), minPatience), queryTime)
}

// trip is the mean round trip of those that answered.
func (w *walk) trip() time.Duration {
	return w.trips / time.Duration(max(len(w.answered), 1))
}

// useful reports whether p may be one of the nearest.
func (w *walk) useful(p *peer) bool {
	kind := w.kind(p)
	n := w.share(kind, w.wide())
	nearest := w.nearest(kind, n)
	return len(nearest) < n || p.named && w.order(p, nearest[n-1]) < 0 || w.belongs(p)
}

// next takes the nearest one of whom it makes sense to ask from those that wait, or returns nil.
func (w *walk) next() *peer {
	var seen [2]bool
	for i, p := range w.waiting {
		if kind := w.kind(p); !seen[kind] {
			seen[kind] = true
			if w.useful(p) {
				w.waiting = slices.Delete(w.waiting, i, i+1)
				return p
			}
		}
	}
	return nil
}

func (w *walk) ask(ctx context.Context, what string, p *peer, target [20]byte) *krpc.Return {
	args := krpc.MsgArgs{Target: target, Want: w.road.want()}
	if what == "get" && w.since != nil {
		args.Seq = w.since
		if p.probed {
			before := *w.since - 1
			args.Seq = &before
		}
	}
	q := w.server.Query(ctx, library(p.addr), what, dht.QueryInput{MsgArgs: args})
	if q.ToError() != nil {
		return nil
	}
	return q.Reply.R
}

// take learns from an answer.
func (w *walk) take(a answer) {
	w.flying = slices.DeleteFunc(w.flying, func(p *peer) bool { return p == a.peer })
	if a.reply == nil {
		return
	}
	if !a.peer.scout {
		w.welcome(a.peer, a.reply)
	}
	for _, n := range slices.Concat(a.reply.Nodes, krpc.CompactIPv4NodeInfo(a.reply.Nodes6)) {
		if ip, ok := netip.AddrFromSlice(n.Addr.IP); ok {
			addr := netip.AddrPortFrom(ip, uint16(n.Addr.Port))
			w.meet(peer{addr: addr, id: n.ID, named: true})
		}
	}
}

// welcome takes in a node that answered, and its item.
func (w *walk) welcome(p *peer, r *krpc.Return) {
	p.id, p.named = r.ID, true
	if r.Token != nil {
		p.token = *r.Token
	}
	w.trips += time.Since(p.asked)
	at, _ := slices.BinarySearchFunc(w.answered, p, w.order)
	w.answered = slices.Insert(w.answered, at, p)
	p.kept = w.weigh(r)
}

// weigh keeps the item of an answer if it is genuine and the newest so far, and reports whether it
// is genuine.
func (w *walk) weigh(r *krpc.Return) bool {
	if r.Seq == nil || len(r.V) == 0 {
		return false
	}
	value, n := scanString(r.V)
	i := &Item{Key: r.K, Seq: *r.Seq, Value: value, Sig: r.Sig}
	switch {
	case n != len(r.V) || !i.Genuine(w.key):
		return false
	case w.best == nil || i.Seq > w.best.Seq:
		w.best, w.copies = i, 1
	case i.same(w.best):
		w.copies++
	}
	return true
}

// wide is at how many nodes the item is stored and looked for.
func (w *walk) wide() int {
	if w.road.Wary {
		return wider
	}
	return wide
}

// probe counts how many of the nearest were to show an item, and how many did.
func (w *walk) probe() (kept, probed int) {
	for _, p := range w.nearest(w.main(), near) {
		if p.probed {
			probed++
			if p.kept {
				kept++
			}
		}
	}
	return kept, probed
}

// meet remembers a node that might be asked.
func (w *walk) meet(p peer) {
	if !w.road.guard.may(p.addr) || !w.road.kinds[w.kind(&p)] || w.known[p.addr] {
		return
	}
	w.known[p.addr] = true
	w.count(&p)
	at, _ := slices.BinarySearchFunc(w.waiting, &p, w.order)
	w.waiting = slices.Insert(w.waiting, at, &p)
}

// nearest returns the nearest nodes of a kind that answered, at most n and one of each network:
// whoever owns one must not be all the nodes near a key.
func (w *walk) nearest(kind, n int) []*peer {
	var out []*peer
	taken := make(map[netip.Prefix]bool)
	for _, p := range w.answered {
		net := network(p.addr.Addr())
		if len(out) < n && w.kind(p) == kind && !taken[net] {
			taken[net] = true
			out = append(out, p)
		}
	}
	return out
}

// order sorts by distance to the target (XOR, BEP5); nodes without an id come last, as they came.
func (w *walk) order(a, b *peer) int {
	if !a.named || !b.named {
		if a.named {
			return -1
		}
		return 1
	}
	for i := range w.target {
		if x, y := a.id[i]^w.target[i], b.id[i]^w.target[i]; x != y {
			return int(x) - int(y)
		}
	}
	return bytes.Compare(a.addr.Addr().AsSlice(), b.addr.Addr().AsSlice())
}

// library is an address in the form the library needs: one of IPv4 with four bytes, or it is
// another node.
func library(a netip.AddrPort) dht.Addr {
	return dht.NewAddr(&net.UDPAddr{IP: a.Addr().AsSlice(), Port: int(a.Port())})
}
