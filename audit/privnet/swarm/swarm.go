// Package swarm is a private Mainline DHT: some dozens of serving nodes on loopback addresses,
// converged, for tests and for the demonstration. It knows nothing of nightjar. It never sends a
// packet to an address outside 127.0.0.0/8 that did not send it one first, unless it is given hosts
// of a network of the test's own.
//
// Node i listens on 127.(i%200+1).(i/200+1).1, so that the first 200 share no /16, as the nodes
// that store an item in the public DHT seldom do (Linux answers on all of 127.0.0.0/8).
package swarm

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/log"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// Options of a swarm. The zero value is a quiet swarm of 30 nodes.
type Options struct {
	Nodes   int           // how many; 0 means 30, at most 1000
	Port    uint16        // UDP port of every node; 0 means a free one
	Hosts   []netip.Addr  // where the nodes are, instead of on loopback; one each
	Delay   time.Duration // added to every answer to a stranger, to feel like a round trip
	OnQuery func(Query)   // called for every query of a stranger; must be quick, may be concurrent
	Sybils  Sybils        // hostile nodes beside the others
	Hostile int           // so many of the nodes are hostile too: see liars
}

// A Swarm is a running private DHT. Close it with Stop.
type Swarm struct {
	nodes []*node
	stop  context.CancelFunc
	idle  sync.WaitGroup
	seen  seen
	liars liars
}

type node struct {
	server *dht.Server
	tap    *tap
	addr   netip.AddrPort
}

// Start runs the nodes and returns when each knows enough others to serve. ctx bounds the start
// only.
func Start(ctx context.Context, o Options) (*Swarm, error) {
	if o.Nodes == 0 {
		o.Nodes = 30
	}
	// The library prints peers' packets to stderr through this global logger, whatever its
	// configuration says.
	log.Default.SetHandlers(log.DiscardHandler)
	live, stop := context.WithCancel(context.Background())
	s := &Swarm{stop: stop}
	s.seen.own = make(map[netip.Addr]bool)
	ids := append(make([]krpc.ID, o.Nodes), o.Sybils.ids()...)
	addrs := append(addresses(o.Nodes), o.Sybils.addresses()...)
	copy(addrs, o.Hosts)
	for i := range o.Nodes {
		ids[i] = krpc.RandomNodeID()
	}
	for _, a := range addrs {
		s.seen.own[a] = true
	}
	for i := range addrs {
		n, err := s.add(i, o, addrs[i], ids[i])
		if err != nil {
			s.Stop()
			return nil, fmt.Errorf("start node %d: %w", i, err)
		}
		o.Port = n.addr.Port()
	}
	for range 2 { // a node becomes good by answering, and is handed out when it is good
		if err := s.meet(ctx); err != nil {
			s.Stop()
			return nil, fmt.Errorf("converge: %w", err)
		}
	}
	s.idle.Go(func() { s.stayAcquainted(live) })
	return s, nil
}

func addresses(n int) (out []netip.Addr) {
	for i := range n {
		out = append(out, netip.AddrFrom4([4]byte{127, byte(i%200 + 1), byte(i/200 + 1), 1}))
	}
	return out
}

func (s *Swarm) add(i int, o Options, ip netip.Addr, id krpc.ID) (*node, error) {
	var keep bep44.Store = newStore()
	hostile := i >= o.Nodes-o.Hostile
	if hostile {
		keep = forgetful{}
	}
	local := netip.AddrPortFrom(ip, o.Port)
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(local))
	if err != nil {
		return nil, err
	}
	t := newTap(conn, &s.seen, o.Delay)
	if hostile && i < o.Nodes {
		t.liars = &s.liars
	}
	server, err := dht.NewServer(&dht.ServerConfig{
		Conn: t, NodeId: id, NoSecurity: true,
		StartingNodes:    func() ([]dht.Addr, error) { return nil, nil },
		DefaultWant:      []krpc.Want{krpc.WantNodes},
		Store:            keep,
		Exp:              2 * time.Hour,
		SendLimiter:      rate.NewLimiter(rate.Inf, 1),
		QueryResendDelay: func() time.Duration { return 2 * time.Second },
		Logger:           quiet(),
		OnQuery:          s.hook(i, o.OnQuery),
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	n := &node{server, t, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())}
	s.nodes = append(s.nodes, n)
	if t.liars != nil {
		s.liars.add(id, n.addr)
	}
	return n, nil
}

// meet lets every node ping all others, or 100 of them in a large swarm. Bootstrapping would leak
// goroutines and leave the tables nearly empty: nodes that only asked are not handed out.
func (s *Swarm) meet(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(16)
	step := len(s.nodes)/100 + 1
	for i, n := range s.nodes {
		for j := i % step; j < len(s.nodes); j += step {
			if i == j {
				continue
			}
			g.Go(func() error {
				a := s.nodes[j].addr
				to := dht.NewAddr(&net.UDPAddr{IP: a.Addr().AsSlice(), Port: int(a.Port())})
				q := n.server.Query(ctx, to, "ping", dht.QueryInput{NumTries: 3})
				return q.ToError()
			})
		}
	}
	return g.Wait()
}

// stayAcquainted keeps nodes good: one that was not heard for 15 minutes is not handed out.
func (s *Swarm) stayAcquainted(ctx context.Context) {
	t := time.NewTicker(5 * time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_ = s.meet(ctx) // nodes that were killed do not answer
		}
	}
}

// Addrs returns the addresses of the living nodes, the hostile ones last.
func (s *Swarm) Addrs() []netip.AddrPort {
	var a []netip.AddrPort
	for _, n := range s.nodes {
		if !n.tap.closed() {
			a = append(a, n.addr)
		}
	}
	return a
}

// Kill ends node i of those that Start made, as a power cut would.
func (s *Swarm) Kill(i int) {
	s.nodes[i].tap.end(s.nodes[i].server.Close)
}

// Stop ends all nodes and returns when their goroutines have ended.
func (s *Swarm) Stop() {
	s.stop()
	s.idle.Wait()
	for _, n := range s.nodes {
		n.tap.end(n.server.Close)
	}
}

func quiet() log.Logger {
	l := log.NewLogger("swarm")
	l.SetHandlers(log.DiscardHandler)
	return l
}
