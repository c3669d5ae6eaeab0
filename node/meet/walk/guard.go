// The guard between a wire and the library.

package walk

import (
	"crypto/rand"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	maxPending = 1024             // questions that wait for an answer, per road
	stale      = 30 * time.Second // a question this old is no longer waited for
	portQueue  = 64               // answers that wait for the library; more are dropped
)

// tid is a transaction id on the wire. The library counts them up, through the whole process; on
// the wire they are random, so that they link nothing and cannot be guessed.
type tid [4]byte

// question is one that was asked and not answered yet.
type question struct {
	from *port
	to   netip.AddrPort
	tid  string // the library's
	at   time.Time
}

// guard owns a packet conn and hands out ports to it, one for each dht.Server.
type guard struct {
	conn   net.PacketConn
	allows func(netip.AddrPort) bool // where the conn may send
	lost   chan struct{}             // closed when the conn can no longer be read

	mu      sync.Mutex
	pending map[tid]question
}

func newGuard(conn net.PacketConn) *guard {
	g := &guard{conn: conn, allows: func(netip.AddrPort) bool { return true },
		lost: make(chan struct{}), pending: make(map[tid]question)}
	if c, ok := conn.(interface{ Allows(netip.AddrPort) bool }); ok {
		g.allows = c.Allows
	}
	go g.read()
	return g
}

// close closes the conn and returns when nothing reads it any more.
func (g *guard) close() error {
	err := g.conn.Close()
	<-g.lost
	return err
}

func (g *guard) read() {
	defer close(g.lost)
	b := make([]byte, maxPacket+1)
	for {
		n, from, err := g.conn.ReadFrom(b)
		if err != nil {
			return
		}
		if u, ok := from.(*net.UDPAddr); ok {
			g.deliver(b[:n], plainAddr(u))
		}
	}
}

// deliver hands an answer to the one who asked. Everything else ends here.
func (g *guard) deliver(packet []byte, from netip.AddrPort) {
	t, body, ok := parseReply(packet)
	if !ok || len(t) != len(tid{}) {
		return
	}
	g.mu.Lock()
	q, ok := g.pending[tid(t)]
	if ok = ok && q.to == from; ok {
		delete(g.pending, tid(t))
	}
	g.mu.Unlock()
	if !ok {
		return
	}
	t = encodeString([]byte(q.tid))
	answer := dict{{"e", []byte("li201e0:e")}, {"t", t}, {"y", []byte("1:e")}}
	if body != nil {
		answer = dict{{"r", body.encode()}, {"t", t}, {"y", []byte("1:r")}}
	}
	select {
	case q.from.in <- delivery{answer.encode(), net.UDPAddrFromAddrPort(from)}:
	default:
	}
}

// ask notes a question and returns it as it goes out; false if it is none or too many wait.
func (g *guard) ask(p *port, packet []byte, to netip.AddrPort) ([]byte, bool) {
	d, ok := parsePacket(packet)
	if !ok || !IsQuery(packet) || !g.may(to) {
		return nil, false
	}
	var t tid
	rand.Read(t[:])
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.pending) >= maxPending {
		for k, q := range g.pending {
			if now.Sub(q.at) > stale {
				delete(g.pending, k)
			}
		}
	}
	if _, taken := g.pending[t]; taken || len(g.pending) >= maxPending {
		return nil, false
	}
	g.pending[t] = question{p, to, string(d.str("t")), now}
	for i := range d {
		if d[i].key == "t" {
			d[i].raw = encodeString(t[:])
		}
	}
	return d.encode(), true
}

// forget drops the questions of p.
func (g *guard) forget(p *port) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, q := range g.pending {
		if q.from == p {
			delete(g.pending, k)
		}
	}
}

// may reports whether a node is one that may be asked.
func (g *guard) may(a netip.AddrPort) bool { return askable(a) && g.allows(a) }

// plainAddr is u with an IPv4 address in its four-byte form: the library takes the other form for
// another node.
func plainAddr(u *net.UDPAddr) netip.AddrPort {
	a := u.AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// askable reports whether a may be the address of a DHT node, in the one form that it has: an IPv4
// address in the form of IPv6 would be another node to the library.
func askable(a netip.AddrPort) bool {
	ip := a.Addr()
	if ip.Is4() {
		first := ip.As4()[0]
		return a.Port() != 0 && first != 0 && first < 224
	}
	return ip.IsValid() && a.Port() != 0 && !ip.Is4In6() && ip.Zone() == "" &&
		!ip.IsUnspecified() && !ip.IsMulticast() && !ip.IsLinkLocalUnicast()
}

type delivery struct {
	packet []byte
	from   *net.UDPAddr
}

// port is one dht.Server's way through the guard. It meets net.PacketConn as the library needs it:
// reading never fails until Close, or the library would end the process.
type port struct {
	guard  *guard
	in     chan delivery
	still  chan struct{} // closed by end: no more answers
	parked chan struct{} // closed when the library reads in vain
	closed chan struct{} // closed by Close
	gone   chan struct{} // closed when the library has been told
}

func (g *guard) port() *port {
	return &port{guard: g, in: make(chan delivery, portQueue), still: make(chan struct{}),
		parked: make(chan struct{}), closed: make(chan struct{}), gone: make(chan struct{})}
}

// end closes the port through its server and returns when the server has stopped reading. First it
// lets the reader run dry: a server that is closed while it holds a packet does not read again, and
// nobody could tell when it has ended.
func (p *port) end(shut func()) {
	p.guard.forget(p)
	close(p.still)
	<-p.parked
	shut()
	<-p.gone
}

// ReadFrom is called by one goroutine of the library.
func (p *port) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case <-p.still:
	default:
		select {
		case d := <-p.in:
			return copy(b, d.packet), d.from, nil
		case <-p.still:
		}
	}
	close(p.parked)
	<-p.closed
	close(p.gone)
	return 0, nil, net.ErrClosed
}

// WriteTo sends a question and drops everything else, as UDP might.
func (p *port) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return len(b), nil
	}
	addr := plainAddr(u)
	packet, ok := p.guard.ask(p, b, addr)
	if !ok {
		return len(b), nil
	}
	if _, err := p.guard.conn.WriteTo(packet, net.UDPAddrFromAddrPort(addr)); err != nil {
		return 0, ErrLost
	}
	return len(b), nil
}

// Close is called once, by the library.
func (p *port) Close() error {
	close(p.closed)
	return nil
}

// LocalAddr is a dummy that the library can print.
func (p *port) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IP{0, 0, 0, 0}, Port: 1} }

func (p *port) SetDeadline(time.Time) error      { return nil }
func (p *port) SetReadDeadline(time.Time) error  { return nil }
func (p *port) SetWriteDeadline(time.Time) error { return nil }
