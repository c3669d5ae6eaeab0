// What the nodes see of strangers: their addresses and their queries.

package swarm

import (
	"net"
	"net/netip"
	"sort"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
)

// A Query is one question of a stranger, as the node that got it sees it.
type Query struct {
	At     time.Time
	Node   int // which of the nodes, from 0
	From   netip.AddrPort
	Name   string   // "get", "put", "find_node", ...
	ID     [20]byte // node id the stranger gives itself
	Target [20]byte // of get and find_node
	Key    [32]byte // of put
	Seq    int64    // of put; -1 when there is none
	Sig    [64]byte // of put
	Value  []byte   // of put, bencoded
}

// seen collects the addresses of strangers, at most maxSeen.
type seen struct {
	mu    sync.Mutex
	own   map[netip.Addr]bool // fixed once the nodes run
	addrs map[netip.AddrPort]bool
}

const maxSeen = 100_000

func (s *seen) stranger(a netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own[a.Addr()] {
		return false
	}
	if s.addrs == nil {
		s.addrs = make(map[netip.AddrPort]bool)
	}
	if len(s.addrs) < maxSeen {
		s.addrs[a] = true
	}
	return true
}

// Seen returns the source address of every packet that came from outside the swarm, sorted.
func (s *Swarm) Seen() []netip.AddrPort {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	var a []netip.AddrPort
	for k := range s.seen.addrs {
		a = append(a, k)
	}
	sort.Slice(a, func(i, j int) bool { return a[i].Compare(a[j]) < 0 })
	return a
}

// hook turns the library's view of a query into ours.
func (s *Swarm) hook(i int, f func(Query)) func(*krpc.Msg, net.Addr) bool {
	if f == nil {
		return nil
	}
	return func(m *krpc.Msg, from net.Addr) bool {
		a := from.(*net.UDPAddr).AddrPort()
		if !s.seen.stranger(a) {
			return true
		}
		q := Query{At: time.Now(), Node: i, From: a, Name: m.Q, Seq: -1}
		if m.A != nil {
			q.ID, q.Target, q.Key, q.Sig = m.A.ID, m.A.Target, m.A.K, m.A.Sig
			if m.A.Seq != nil {
				q.Seq = *m.A.Seq
			}
			if m.A.V != nil {
				q.Value = bencode.MustMarshal(m.A.V)
			}
		}
		f(q)
		return true
	}
}

// tap is a node's socket. It notes strangers, delays answers to them, and says when the library has
// read for the last time.
type tap struct {
	*net.UDPConn
	seen  *seen
	delay time.Duration
	liars *liars // of which it is one, or nil

	still  chan struct{} // closed by end: no more packets
	parked chan struct{} // closed when the library reads in vain
	shut   chan struct{} // closed by Close
	gone   chan struct{} // closed when the library has been told

	mu    sync.Mutex
	late  sync.WaitGroup // answers still to be sent
	ended bool           // no more of them
}

func (t *tap) closed() bool {
	select {
	case <-t.gone:
		return true
	default:
		return false
	}
}

func newTap(c *net.UDPConn, s *seen, delay time.Duration) *tap {
	return &tap{UDPConn: c, seen: s, delay: delay, still: make(chan struct{}),
		parked: make(chan struct{}), shut: make(chan struct{}), gone: make(chan struct{})}
}

// end closes the tap through its server and returns when the server has stopped reading and no
// answer is still to be sent. First it lets the reader run dry: a server that is closed while it
// holds a packet does not read again, and nobody could tell when it has ended.
func (t *tap) end(shut func()) {
	if t.closed() {
		return
	}
	close(t.still)
	_ = t.SetReadDeadline(time.Unix(1, 0))
	<-t.parked
	shut()
	<-t.gone
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.late.Wait()
}

func (t *tap) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := t.UDPConn.ReadFromUDPAddrPort(b)
	if err != nil {
		<-t.still // a socket on loopback fails for no other reason
		close(t.parked)
		<-t.shut
		close(t.gone)
		return 0, nil, err
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	t.seen.stranger(from)
	return n, &net.UDPAddr{IP: from.Addr().AsSlice(), Port: int(from.Port())}, nil
}

// Close is called once, by the library.
func (t *tap) Close() error {
	close(t.shut)
	return t.UDPConn.Close()
}

func (t *tap) WriteTo(b []byte, to net.Addr) (int, error) {
	u := to.(*net.UDPAddr)
	ip, _ := netip.AddrFromSlice(u.IP)
	own := t.seen.own[ip.Unmap()]
	if t.liars != nil && !own {
		b = t.liars.rewrite(b)
	}
	if t.delay == 0 || own {
		return t.UDPConn.WriteTo(b, to)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return len(b), nil
	}
	copied := append([]byte(nil), b...)
	t.late.Add(1)
	time.AfterFunc(t.delay, func() {
		defer t.late.Done()
		_, _ = t.UDPConn.WriteTo(copied, to) // UDP: a lost answer is no fault
	})
	return len(b), nil
}
