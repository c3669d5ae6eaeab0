// The client's end of a gateway: a stream that looks like a UDP socket.

package lend

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"nightjar/onion/frame"
)

// packetQueue is how many datagrams wait in each direction; when it is full, further ones are
// lost, as on any network.
const packetQueue = 256

var (
	// ErrLost means that the stream to the gateway is gone.
	ErrLost = errors.New("the gateway is gone")
	// ErrDatagram means a datagram that a gateway cannot carry: over 1500 bytes, 1484 to IPv6, or
	// not to a host.
	ErrDatagram = errors.New("a gateway cannot carry this datagram")
)

// A PacketConn sends and receives datagrams through a gateway. It is a net.PacketConn of
// *net.UDPAddr; IPv4 addresses have 4 bytes. It hides the loss of its stream, since a DHT server
// stops the whole program when its socket fails: ReadFrom then waits for ever, WriteTo succeeds,
// and Lost tells.
type PacketConn struct {
	stream net.Conn
	in     chan frame.Frame
	out    chan []byte
	nodes  chan []netip.AddrPort
	six    []netip.AddrPort // those of IPv6 in the answer before; belongs to readAll
	asking chan struct{}    // held by the one who asks for nodes
	lost   chan struct{}
	closed chan struct{}
	once   sync.Once
	work   sync.WaitGroup

	carries6 atomic.Bool
}

// NewPacketConn returns the client's end of a stream to a gateway, and owns the stream.
func NewPacketConn(stream net.Conn) *PacketConn {
	p := &PacketConn{
		stream: stream,
		in:     make(chan frame.Frame, packetQueue),
		out:    make(chan []byte, packetQueue),
		nodes:  make(chan []netip.AddrPort, 1),
		asking: make(chan struct{}, 1),
		lost:   make(chan struct{}),
		closed: make(chan struct{}),
	}
	var once sync.Once
	lose := func() { once.Do(func() { close(p.lost); stream.Close() }) }
	p.work.Go(func() { p.readAll(); lose() })
	p.work.Go(func() { p.writeAll(); lose() })
	return p
}

// readAll takes frames from the stream until it ends.
func (p *PacketConn) readAll() {
	r := bufio.NewReaderSize(p.stream, 4<<10)
	for {
		f, err := frame.Read(r, make([]byte, frame.MaxFrame))
		if err != nil {
			return
		}
		if f.Node == frame.Control() {
			if p.told(f.Payload) != nil {
				return
			}
			continue
		}
		if f.Node.Port() == 0 {
			continue
		}
		select {
		case p.in <- f:
		default:
		}
	}
}

// told takes in what the gateway says of itself.
func (p *PacketConn) told(answer []byte) error {
	if frame.Is6(answer) {
		carries, nodes, err := frame.Parse6(answer)
		p.six = nodes
		p.carries6.Store(carries && err == nil)
		return err
	}
	nodes, err := frame.ParseNodes(answer)
	if err != nil {
		return err
	}
	select {
	case p.nodes <- append(nodes, p.six...):
	default:
	}
	return nil
}

// writeAll puts frames on the stream until it ends or the conn is closed.
func (p *PacketConn) writeAll() {
	for {
		select {
		case b := <-p.out:
			if _, err := p.stream.Write(b); err != nil {
				return
			}
		case <-p.lost:
			return
		case <-p.closed:
			return
		}
	}
}

// ReadFrom waits for a datagram. The only error is net.ErrClosed, after Close.
func (p *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case <-p.closed:
		return 0, nil, net.ErrClosed
	default:
	}
	select {
	case f := <-p.in:
		return copy(b, f.Payload), net.UDPAddrFromAddrPort(f.Node), nil
	case <-p.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends a datagram to a *net.UDPAddr. It never blocks. ErrDatagram means one that could
// never be carried, net.ErrClosed that the conn is closed.
func (p *PacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok || a.Port <= 0 || a.Port > 65535 {
		return 0, ErrDatagram
	}
	node := netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), uint16(a.Port))
	if node.Addr().Is6() && !p.carries6.Load() {
		return 0, ErrDatagram
	}
	if err := p.send(frame.Frame{Node: node, Payload: b}); err != nil {
		return 0, err
	}
	return len(b), nil
}

// send queues a frame, or loses it when the queue is full.
func (p *PacketConn) send(f frame.Frame) error {
	select {
	case <-p.closed:
		return net.ErrClosed
	default:
	}
	b, err := f.Append(nil)
	if err != nil {
		return ErrDatagram
	}
	select {
	case p.out <- b:
	default:
	}
	return nil
}

// Carries says what the gateway carries: IPv4 always, IPv6 if it said so when it was last asked for
// nodes.
func (p *PacketConn) Carries() (ip4, ip6 bool) { return true, p.carries6.Load() }

// Nodes asks the gateway for DHT nodes, at most 16 of IPv4 and 16 of IPv6, and whether it carries
// IPv6. They are a stranger's word. One question is
// asked at a time; further callers wait. Errors are ErrLost, net.ErrClosed and those of ctx.
func (p *PacketConn) Nodes(ctx context.Context) ([]netip.AddrPort, error) {
	select {
	case p.asking <- struct{}{}:
		defer func() { <-p.asking }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case <-p.nodes: // a late answer to an earlier question
	default:
	}
	// The first is not answered by a gateway that has never heard of IPv6, so the second is last.
	for _, question := range [][]byte{frame.Question6(), nil} {
		err := p.send(frame.Frame{Node: frame.Control(), Payload: question})
		if err != nil {
			return nil, err
		}
	}
	select {
	case nodes := <-p.nodes:
		return nodes, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-p.lost:
		return nil, ErrLost
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Lost is closed when the stream to the gateway is gone.
func (p *PacketConn) Lost() <-chan struct{} { return p.lost }

// Close ends the conn and its stream, and returns when both directions have ended.
func (p *PacketConn) Close() error {
	p.once.Do(func() {
		close(p.closed)
		p.stream.Close()
		p.work.Wait()
	})
	return nil
}

// LocalAddr returns an address that says nothing: 0.0.0.0 with port 1.
func (p *PacketConn) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IP{0, 0, 0, 0}, Port: 1} }

// SetDeadline returns os.ErrNoDeadline: there are none.
func (p *PacketConn) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline returns os.ErrNoDeadline: there are none.
func (p *PacketConn) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline returns os.ErrNoDeadline: there are none.
func (p *PacketConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
