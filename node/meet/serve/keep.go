// What the node asks of others, to know them and to be known.

package serve

import (
	"context"
	"crypto/rand"
	"net/netip"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
)

// question is one that we asked.
type question struct {
	to netip.AddrPort
	at time.Time
}

// keep asks now and then until ctx ends.
func (s *Server) keep(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	for n := 0; ; n++ {
		s.round(n, time.Now())
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// busy reports whether the nth tick is one in which a node that knows few looks for others: at
// first often, since a question may be lost.
func busy(n int) bool {
	return n < 10 || n < 60 && n%3 == 0 || n%int(refreshTime/tick) == 0
}

// round does the work of the nth tick.
func (s *Server) round(n int, now time.Time) {
	var seeds []netip.AddrPort
	if busy(n) && s.Nodes != nil {
		seeds = s.Nodes()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, q := range s.asked {
		if now.Sub(q.at) > answerTime {
			delete(s.asked, t)
			s.table.silent(q.to)
		}
	}
	few := len(s.table.nodes) < fewNodes
	if len(s.table.nodes) < bucket {
		for i, a := range seeds {
			if i < ownPerTick && a.Addr().Is6() == s.six {
				s.ask(a, s.self, now)
			}
		}
	}
	if n%int(refreshTime/tick) == 0 || few && busy(n) {
		s.explore(now)
	}
	if old := s.table.stale(now); old != nil {
		s.ask(old.addr, s.self, now)
	}
	if n%60 == 59 {
		s.store.sweep(now)
	}
}

// explore asks for nodes near us, and near a random id. Called with mu held.
func (s *Server) explore(now time.Time) {
	var about [20]byte
	rand.Read(about[:])
	for _, target := range [][20]byte{s.self, about} {
		for _, n := range s.table.nearest(target, 2, netip.AddrPort{}) {
			s.ask(n.addr, target, now)
		}
	}
}

// ask asks a node for those near a target. Called with mu held.
func (s *Server) ask(to netip.AddrPort, target [20]byte, now time.Time) {
	if !s.Allowed(to) || len(s.asked) >= maxAsked {
		return
	}
	for _, q := range s.asked {
		if q.to == to {
			return // one at a time
		}
	}
	var tid [4]byte
	rand.Read(tid[:])
	s.asked[tid] = question{to, now}
	want := "n4"
	if s.six {
		want = "n6"
	}
	s.send(message{Q: "find_node", T: string(tid[:]), Y: "q", A: &args{ID: string(s.self[:]),
		Target: string(target[:]), Want: []string{want}}}, to)
}

// learn takes in an answer, if it is one to us. Called with mu held.
func (s *Server) learn(m *message, from netip.AddrPort, now time.Time) {
	if len(m.T) != 4 {
		s.dropped.Add(1)
		return
	}
	tid := [4]byte([]byte(m.T))
	q, ok := s.asked[tid]
	if !ok || q.to != from {
		s.dropped.Add(1)
		return
	}
	delete(s.asked, tid)
	if m.R == nil || len(m.R.ID) != 20 {
		s.table.silent(from)
		return
	}
	s.table.answered([20]byte([]byte(m.R.ID)), from, now)
	s.prove(from.Addr(), now)
	asked := 0
	for _, n := range m.R.named(s.six) {
		if asked < ownPerTick && s.table.find(n.addr) == nil && s.table.room(n.id, n.addr) {
			asked++
			s.ask(n.addr, s.self, now)
		}
	}
	s.mirror(m.seen(), from)
}

// enoughViews is how many networks must see us at an address before we take it for ours.
const enoughViews = 4

// maxViews is how many addresses of ours are noted.
const maxViews = 64

// mirror notes at which address a node sees us. When several agree, we take a node id that our
// address asks for (BEP42); others do not keep items at nodes without one. Called with mu held.
func (s *Server) mirror(seen netip.Addr, from netip.AddrPort) {
	full := len(s.views) >= maxViews && s.views[seen] == nil
	if s.named || !seen.IsValid() || seen.Is6() != s.six || full {
		return
	}
	if s.views[seen] == nil {
		s.views[seen] = make(map[netip.Prefix]bool)
	}
	if len(s.views[seen]) < enoughViews {
		s.views[seen][network(from.Addr())] = true
	}
	if len(s.views[seen]) < enoughViews {
		return
	}
	s.named = true // once: who lies to us must not make us change it again and again
	if dht.NodeIdSecure(s.self, seen.AsSlice()) {
		return
	}
	id := krpc.ID(s.self)
	dht.SecureNodeId(&id, seen.AsSlice())
	old := s.table
	s.self, s.table = id, newTable(id)
	for _, n := range old.nodes {
		s.table.answered(n.id, n.addr, n.heard)
	}
}
