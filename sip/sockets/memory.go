// The sockets' twin in memory: one loopback with as many addresses as asked for, no kernel,
// usable inside testing/synctest.

package sockets

import (
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Memory is a loopback interface in memory. Datagrams are neither lost nor reordered unless a
// receiver is more than 256 behind. It keeps a tally of what was sent to nobody.
type Memory struct {
	mu      sync.Mutex
	packet  map[netip.AddrPort]*packetEnd
	stream  map[netip.AddrPort]*listener
	free    uint16
	strays  map[netip.AddrPort]int
	dialing uint16
}

// NewMemory returns an empty loopback.
func NewMemory() *Memory {
	return &Memory{
		packet: map[netip.AddrPort]*packetEnd{}, stream: map[netip.AddrPort]*listener{},
		strays: map[netip.AddrPort]int{}, free: 40000, dialing: 50000,
	}
}

// Strays counts datagrams by the address they were sent to, where nobody listens.
func (m *Memory) Strays() map[netip.AddrPort]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.strays)
}

// Packet opens a datagram end as Loopback does, at any address: a test's phone may sit on one
// that looks like a LAN address of this machine.
func (m *Memory) Packet(at netip.AddrPort) (net.PacketConn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at.Port() == 0 {
		m.free++
		at = netip.AddrPortFrom(at.Addr(), m.free)
	}
	if m.packet[at] != nil {
		return nil, syscall.EADDRINUSE
	}
	e := &packetEnd{net: m, at: at, in: make(chan datagram, 256), done: make(chan struct{})}
	m.packet[at] = e
	return e, nil
}

// Stream opens a listener as Loopback does.
func (m *Memory) Stream(at netip.AddrPort) (net.Listener, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at.Port() == 0 {
		m.free++
		at = netip.AddrPortFrom(at.Addr(), m.free)
	}
	if m.stream[at] != nil {
		return nil, syscall.EADDRINUSE
	}
	l := &listener{net: m, at: at, in: make(chan net.Conn), done: make(chan struct{})}
	m.stream[at] = l
	return l, nil
}

// Dial connects to a listener from the given address, with a port of its own.
func (m *Memory) Dial(from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	m.mu.Lock()
	l := m.stream[to]
	m.dialing++
	local := netip.AddrPortFrom(from, m.dialing)
	m.mu.Unlock()
	if l == nil {
		return nil, syscall.ECONNREFUSED
	}
	a, b := net.Pipe()
	select {
	case l.in <- &streamEnd{Conn: b, local: to, remote: local}:
		return &streamEnd{Conn: a, local: local, remote: to}, nil
	case <-l.done:
		return nil, syscall.ECONNREFUSED
	}
}

type datagram struct {
	from netip.AddrPort
	body []byte
}

// packetEnd is a net.PacketConn.
type packetEnd struct {
	net  *Memory
	at   netip.AddrPort
	in   chan datagram
	done chan struct{}
	once sync.Once
}

func (e *packetEnd) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-e.in:
		return copy(b, d.body), net.UDPAddrFromAddrPort(d.from), nil
	case <-e.done:
		return 0, nil, net.ErrClosed
	}
}

func (e *packetEnd) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, os.ErrInvalid
	}
	ap := udp.AddrPort()
	ap = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	e.net.mu.Lock()
	far := e.net.packet[ap]
	if far == nil {
		e.net.strays[ap]++
	}
	e.net.mu.Unlock()
	if far != nil {
		select {
		case far.in <- datagram{e.at, append([]byte(nil), b...)}:
		default: // full: lost
		}
	}
	return len(b), nil
}

func (e *packetEnd) Close() error {
	e.once.Do(func() {
		close(e.done)
		e.net.mu.Lock()
		delete(e.net.packet, e.at)
		e.net.mu.Unlock()
	})
	return nil
}

func (e *packetEnd) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(e.at) }
func (e *packetEnd) SetDeadline(time.Time) error      { return nil }
func (e *packetEnd) SetReadDeadline(time.Time) error  { return nil }
func (e *packetEnd) SetWriteDeadline(time.Time) error { return nil }

// listener is a net.Listener.
type listener struct {
	net  *Memory
	at   netip.AddrPort
	in   chan net.Conn
	done chan struct{}
	once sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.net.mu.Lock()
		delete(l.net.stream, l.at)
		l.net.mu.Unlock()
	})
	return nil
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// streamEnd is one end of a connection, with addresses as TCP has them.
type streamEnd struct {
	net.Conn
	local, remote netip.AddrPort
}

func (c *streamEnd) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *streamEnd) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// Write fails as a broken TCP connection does when the far end has closed.
func (c *streamEnd) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err == io.ErrClosedPipe {
		err = syscall.EPIPE
	}
	return n, err
}
