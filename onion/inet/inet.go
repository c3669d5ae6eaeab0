// Package inet is an internet in memory: machines with addresses of their own, and NATs before
// them. It is the twin of the ways out to addresses as onion.Memory is that of tor: it ships with
// the code so that the rooms above can be tested alone, also under a fake clock. Datagrams take a
// hundredth of a second; streams it does not carry.
package inet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"nightjar/onion/exposure"
)

const (
	delay   = 10 * time.Millisecond
	forgets = time.Minute // a NAT forgets what has sent nothing for so long
	room    = 1024        // datagrams that wait for one socket; then the newest is dropped
)

// ErrStream: streams are not carried.
var ErrStream = errors.New("this internet carries datagrams only")

// A NAT is what stands before a machine.
type NAT int

// The kinds of NAT.
const (
	Open   NAT = iota // none: whoever knows the address gets through
	Home              // one port for all destinations; in gets only who was sent to (RFC 4787)
	Strict            // another port for each destination; in gets only that one
)

// An Internet is all machines. It is safe for several goroutines.
type Internet struct {
	mu    sync.Mutex
	ways  map[netip.Addr]*Way
	count int
	sent  int
}

// New returns an internet without machines.
func New() *Internet { return &Internet{ways: map[netip.Addr]*Way{}} }

// Sent is how many datagrams were sent so far, also those that did not arrive.
func (n *Internet) Sent() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sent
}

// Way returns the way out of a new machine behind such a NAT, whose address shares no network of 16
// bits with another's. It meets onion.Packets.
func (n *Internet) Way(k NAT) *Way {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := &Way{net: n, kind: k, done: make(chan struct{}), open: map[*socket]bool{},
		holes: map[uint16]*hole{}}
	w.settle()
	return w
}

// A Way is the way out of one machine.
type Way struct {
	net  *Internet // its mutex guards what follows
	kind NAT
	addr netip.Addr
	port uint16 // the last that was given out
	over bool
	done chan struct{}

	open  map[*socket]bool
	holes map[uint16]*hole // by port outside
}

// A hole is a port outside that leads to a socket.
type hole struct {
	socket *socket
	only   netip.AddrPort               // of a strict NAT: for whom it is
	sent   map[netip.AddrPort]time.Time // when, to whom
	last   time.Time
}

// settle gives the machine an address. Called with the lock held.
func (w *Way) settle() {
	delete(w.net.ways, w.addr)
	w.net.count++
	w.addr = netip.AddrFrom4([4]byte{byte(20 + w.net.count/200), byte(w.net.count % 200), 0, 1})
	w.net.ways[w.addr] = w
}

// Addr is the address of the machine as others see it.
func (w *Way) Addr() netip.Addr {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	return w.addr
}

// Move gives the machine another address and, behind a NAT, every socket another port. What is on
// the way to the former does not arrive.
func (w *Way) Move() {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	w.settle()
	if w.kind != Open {
		clear(w.holes)
	}
}

// ListenPacket opens a socket.
func (w *Way) ListenPacket(context.Context) (net.PacketConn, error) {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	if w.over {
		return nil, net.ErrClosed
	}
	s := &socket{way: w}
	s.changed = sync.NewCond(&s.mu)
	w.open[s] = true
	if w.kind == Open {
		w.dig(s, netip.AddrPort{})
	}
	return s, nil
}

// DialAddr returns ErrStream.
func (w *Way) DialAddr(context.Context, netip.AddrPort) (net.Conn, error) { return nil, ErrStream }

// Exposes names nobody.
func (w *Way) Exposes() []exposure.Exposure {
	return []exposure.Exposure{{Who: "nobody", Learns: "nothing: it is in memory, for tests"}}
}

// Done is closed when the way is.
func (w *Way) Done() <-chan struct{} { return w.done }

// Close ends the way and its sockets.
func (w *Way) Close() error {
	w.net.mu.Lock()
	all := w.open
	if !w.over {
		close(w.done)
	}
	w.over, w.open = true, nil
	clear(w.holes)
	w.net.mu.Unlock()
	for s := range all {
		s.shut()
	}
	return nil
}

// dig opens a port outside. Called with the lock held.
func (w *Way) dig(s *socket, only netip.AddrPort) (uint16, *hole) {
	w.port++
	h := &hole{socket: s, only: only, sent: map[netip.AddrPort]time.Time{}, last: time.Now()}
	at := 1024 + w.port
	w.holes[at] = h
	return at, h
}

// leave finds, or digs, the port by which a datagram of the socket leaves. Called with the lock
// held.
func (w *Way) leave(s *socket, to netip.AddrPort) netip.AddrPort {
	var port uint16
	var through *hole
	for p, h := range w.holes {
		if w.kind != Open && time.Since(h.last) > forgets {
			delete(w.holes, p)
		} else if h.socket == s && (w.kind != Strict || h.only == to) {
			port, through = p, h
		}
	}
	if through == nil {
		port, through = w.dig(s, to)
	}
	through.last = time.Now()
	through.sent[to] = time.Now()
	return netip.AddrPortFrom(w.addr, port)
}

// enter finds the socket that a datagram reaches, or nil. Called with the lock held.
func (w *Way) enter(port uint16, from netip.AddrPort) *socket {
	h := w.holes[port]
	if h == nil {
		return nil
	}
	sent, ever := h.sent[from]
	if w.kind != Open && (!ever || time.Since(sent) > forgets) {
		return nil
	}
	return h.socket
}

// carry takes a datagram from a socket to wherever it goes.
func (n *Internet) carry(s *socket, b []byte, to netip.AddrPort) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !s.way.open[s] {
		return net.ErrClosed
	}
	n.sent++
	from := s.way.leave(s, to)
	time.AfterFunc(delay, func() {
		n.mu.Lock()
		var there *socket
		if w := n.ways[to.Addr()]; w != nil {
			there = w.enter(to.Port(), from)
		}
		n.mu.Unlock()
		if there != nil {
			there.push(b, from)
		}
	})
	return nil
}
