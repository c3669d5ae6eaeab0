// The node: what it answers.

package serve

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A Server is a node of the DHT of one kind of address.
type Server struct {
	// Nodes returns nodes to begin with.
	Nodes func() []netip.AddrPort
	// Allowed reports whether a packet may be sent to an address: whether it is on the Internet.
	Allowed func(netip.AddrPort) bool

	conn   net.PacketConn
	six    bool
	secret [32]byte

	mu     sync.Mutex
	self   [20]byte
	table  *table
	store  *store
	limits limits
	proven map[netip.Addr]time.Time
	asked  map[[4]byte]question
	views  map[netip.Addr]map[netip.Prefix]bool // who says that we have which address
	named  bool                                 // our id is that of our address

	answered, dropped, stored atomic.Uint64
}

// Stats are counts since the start, and what there is now; nothing else is kept.
type Stats struct {
	Nodes, Items              int
	Answered, Dropped, Stored uint64
}

// Run serves on conn, which carries one kind of address: IPv6 if six is set. It returns when ctx
// ends or the conn fails, and closes the conn. It is called once.
func (s *Server) Run(ctx context.Context, conn net.PacketConn, six bool) error {
	s.conn, s.six = conn, six
	rand.Read(s.secret[:])
	rand.Read(s.self[:])
	s.mu.Lock()
	s.table, s.store = newTable(s.self), newStore()
	s.proven = make(map[netip.Addr]time.Time)
	s.asked = make(map[[4]byte]question)
	s.views = make(map[netip.Addr]map[netip.Prefix]bool)
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var keeping sync.WaitGroup
	keeping.Go(func() { s.keep(ctx) })
	defer keeping.Wait()
	defer cancel()
	b := make([]byte, maxPacket+1)
	for {
		n, from, err := conn.ReadFrom(b)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return net.ErrClosed // what the system says may hold an address
		}
		if u, ok := from.(*net.UDPAddr); ok && n <= maxPacket {
			at := u.AddrPort()
			s.hear(b[:n], netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), time.Now())
		}
	}
}

// Stats returns the counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Stats{Answered: s.answered.Load(), Dropped: s.dropped.Load(), Stored: s.stored.Load()}
	if s.table != nil {
		out.Nodes, out.Items = len(s.table.nodes), len(s.store.items)
	}
	return out
}

// Known returns at most n nodes that answered lately.
func (s *Server) Known(n int) (out []netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table == nil {
		return nil
	}
	var target [20]byte
	rand.Read(target[:])
	for _, k := range s.table.nearest(target, n, netip.AddrPort{}) {
		out = append(out, k.addr)
	}
	return out
}

// hear takes in a packet.
func (s *Server) hear(packet []byte, from netip.AddrPort, now time.Time) {
	m, question, ok := read(packet)
	if !ok || from.Addr().Is6() != s.six || !s.Allowed(from) {
		s.dropped.Add(1)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !question {
		s.learn(&m, from, now)
		return
	}
	if !s.limits.answer(from.Addr(), now) {
		s.dropped.Add(1)
		return
	}
	a := message{R: &result{ID: string(s.self[:])}, Y: "r", T: m.T, IP: string(compact(from))}
	if !s.answer(&m, &a, len(packet), from, now) {
		s.dropped.Add(1)
		return
	}
	s.send(a, from)
	s.answered.Add(1)
	if id := [20]byte([]byte(m.A.ID)); m.RO == 0 && len(s.asked) < maxAsked/2 &&
		s.table.find(from) == nil && s.table.room(id, from) {
		s.ask(from, s.self, now) // it is taken in when it answers
	}
}

// send sends a packet; when it is lost it is lost.
func (s *Server) send(m message, to netip.AddrPort) {
	_, _ = s.conn.WriteTo(m.bytes(), net.UDPAddrFromAddrPort(to))
}

// answer completes the answer to a question of so many bytes; false is silence. Called with mu
// held.
func (s *Server) answer(m, out *message, size int, from netip.AddrPort, now time.Time) bool {
	switch m.Q {
	case "ping":
		return true
	case "put":
		return s.take(m, out, from, now)
	case "get", "get_peers":
		out.R.Token = s.token(from.Addr(), now)
	}
	most := 7 * size / 2
	if i := s.store.get(m.A.target(), now); m.Q == "get" && i != nil {
		if out.R.show(i, m.A.Seq); len(out.R.V) > 0 {
			if !now.Before(s.proven[from.Addr()]) && !s.limits.item(from.Addr(), now) {
				return false
			}
			most = maxPacket
		}
	}
	each := 26
	if s.six {
		each = 38
	}
	room := (most - len(out.bytes()) - len("6:nodes6304:")) / each
	for _, n := range s.table.nearest(m.A.target(), min(bucket, max(0, room)), from) {
		out.R.name(n)
	}
	return true
}

// take stores the item of a put.
func (s *Server) take(m, out *message, from netip.AddrPort, now time.Time) bool {
	before := s.token(from.Addr(), now.Add(-tokenTime))
	if m.A.Token != s.token(from.Addr(), now) && m.A.Token != before {
		return false // whoever it is has not asked us before
	}
	s.prove(from.Addr(), now)
	i := m.A.item()
	i.from = network(from.Addr())
	if no := s.store.put(i, m.A.Cas, s.self, now); no != 0 {
		out.E, out.R, out.Y = []any{int(no), no.String()}, nil, "e"
		return true
	}
	s.stored.Add(1)
	return true
}

// token is what an address must show to store something: it got it at that address.
func (s *Server) token(a netip.Addr, now time.Time) string {
	b := append(s.secret[:], a.AsSlice()...)
	b = binary.BigEndian.AppendUint64(b, uint64(now.Unix())/uint64(tokenTime/time.Second))
	h := sha256.Sum256(b)
	return string(h[:8])
}

// prove notes that packets for an address arrive there.
func (s *Server) prove(a netip.Addr, now time.Time) {
	for old, until := range s.proven {
		if len(s.proven) < maxProven && now.Before(until) {
			break
		}
		delete(s.proven, old)
	}
	s.proven[a] = now.Add(provenTime)
}
