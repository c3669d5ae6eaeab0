// One stream of a gateway: frames from a client become datagrams, replies become frames. Each
// stream has a UDP socket of its own, so that the kernel keeps the replies of one client from all
// others; datagrams of one stream can be told to belong together anyway, by the DHT node id that
// they name.

package lend

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"nightjar/onion/frame"
	"nightjar/onion/pipe"
	"nightjar/onion/quiet"
)

// A udpSocket is what a stream needs of its socket; *net.UDPConn meets it.
type udpSocket interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	Close() error
}

// Socket opens one socket at a Config's Listen or Listen6, for a gateway in another process: for
// that kind of address alone, and unable to send to broadcast addresses. Errors are ErrConfig and
// those of the system.
func Socket(ctx context.Context, listen string) (*net.UDPConn, error) {
	at, err := place(listen)
	if err != nil {
		return nil, err
	}
	c, err := openUDP(ctx, at)
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// ServingSocket opens a socket at an address of this machine and a port, where others find a node
// of the DHT. Errors are ErrConfig and those of the system.
func ServingSocket(ctx context.Context, at netip.AddrPort) (*net.UDPConn, error) {
	if !at.IsValid() || at.Addr().Is4In6() || at.Port() == 0 {
		return nil, ErrConfig
	}
	c, err := openUDP(ctx, at)
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// openUDP opens a socket for the kind of address that at is.
func openUDP(ctx context.Context, at netip.AddrPort) (udpSocket, error) {
	lc := net.ListenConfig{Control: forbidBroadcast}
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	c, err := lc.ListenPacket(ctx, network, at.String())
	if err != nil {
		return nil, quiet.Error(err)
	}
	return c.(*net.UDPConn), nil
}

// A loan is one stream at work.
type loan struct {
	g      *Gateway
	stream net.Conn
	udp    udpSocket
	rate   *rate.Limiter
	end    time.Time

	udp6  udpSocket // nil until an IPv6 node is asked; belongs to up
	down6 func(udpSocket)

	writing sync.Mutex // of frames to stream

	mu    sync.Mutex
	asked map[netip.AddrPort]debt
	sweep time.Time // when those whose time is over were last forgotten
}

// A debt is what a node owes to a stream.
type debt struct {
	replies int
	until   time.Time
}

// receive serves one stream to its end. Its first byte tells what it wants: the length of a frame
// begins with a small one, an HTTP request with a letter.
func (g *Gateway) receive(ctx context.Context, stream net.Conn, who *guest) {
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	defer stop()
	begun := time.Now()
	stream.SetReadDeadline(begun.Add(lentIdle))
	p := &peeked{Conn: stream, r: bufio.NewReaderSize(&listening{stream, who}, 4<<10)}
	first, err := p.r.Peek(1)
	switch {
	case err != nil:
	case first[0] < 'A':
		g.lend(ctx, p, begun)
	case g.config.Relay != nil:
		g.config.Relay(ctx, p)
	default:
		g.dropped.Add(1)
	}
}

// listening notes when a guest says something.
type listening struct {
	net.Conn
	who *guest
}

func (l *listening) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if n > 0 {
		l.who.hears(time.Now())
	}
	return n, err
}

// peeked is a stream of which a part was read ahead.
type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.r.Read(b) }

// Open lends to this process itself, by the same rules as to others: for a Relay, while it serves a
// stream. It returns the nodes of Config as well. The error is ErrBusy.
func (g *Gateway) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	select {
	case g.seats <- struct{}{}:
	default:
		return nil, nil, ErrBusy
	}
	near, far := pipe.New()
	g.own.Go(func() {
		defer func() { <-g.seats }()
		g.lend(ctx, far, time.Now())
	})
	var nodes []netip.AddrPort
	if g.config.Nodes != nil {
		nodes = g.config.Nodes()
	}
	c := NewPacketConn(near)
	c.carries6.Store(g.open6 != nil)
	return c, nodes, nil
}

// lend serves one stream of frames to its end.
func (g *Gateway) lend(ctx context.Context, stream net.Conn, begun time.Time) {
	defer stream.Close()
	udp, err := g.open(ctx)
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	l := &loan{g: g, stream: stream, udp: udp, rate: rate.NewLimiter(streamRate, 2*streamRate),
		end: begun.Add(lentLife), asked: map[netip.AddrPort]debt{}}
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	defer stop()
	var down sync.WaitGroup
	receive := func(s udpSocket) {
		down.Go(func() {
			l.down(s)
			cancel()
		})
	}
	l.down6 = receive
	receive(udp)
	l.up(ctx)
	cancel()
	stream.Close()
	udp.Close()
	if l.udp6 != nil {
		l.udp6.Close()
	}
	down.Wait()
}

// reader is the stream with a buffer, the one it has if it has one.
func (l *loan) reader() *bufio.Reader {
	if p, ok := l.stream.(*peeked); ok {
		return p.r
	}
	return bufio.NewReaderSize(l.stream, 4<<10)
}

// up carries datagrams from the client to nodes.
func (l *loan) up(ctx context.Context) {
	r := l.reader()
	buf := make([]byte, frame.MaxFrame)
	for {
		idle := time.Now().Add(lentIdle)
		if idle.After(l.end) {
			idle = l.end
		}
		l.stream.SetReadDeadline(idle)
		f, err := frame.Read(r, buf)
		if err != nil || l.rate.Wait(ctx) != nil || l.g.rate.Wait(ctx) != nil {
			return
		}
		if f.Node == frame.Control() {
			err = l.control(f.Payload)
		} else {
			err = l.send(ctx, f)
		}
		switch err {
		case nil:
		case errPacket:
			l.g.dropped.Add(1)
		default:
			return
		}
	}
}

// control answers what is asked of the gateway itself. What it does not know it drops, so that
// there can be more questions one day.
func (l *loan) control(question []byte) error {
	var nodes []netip.AddrPort
	if l.g.config.Nodes != nil {
		nodes = l.g.config.Nodes()
	}
	var answer []byte
	switch {
	case len(question) == 0:
		answer = frame.AppendNodes(nil, nodes)
	case frame.Asks6(question) && l.g.open6 != nil:
		answer = frame.Append6(nil, true, nodes)
	case frame.Asks6(question):
		answer = frame.Append6(nil, false, nil)
	default:
		return errPacket
	}
	return l.write(frame.Frame{Node: frame.Control(), Payload: answer})
}

// send sends one datagram, if the rules allow it.
func (l *loan) send(ctx context.Context, f frame.Frame) error {
	c, now := &l.g.config, time.Now()
	if !frame.MaySend(f.Node, c.AllowPrivate) || !c.Accept(f.Payload) {
		return errPacket
	}
	if frame.Public(f.Node.Addr()) && !l.g.hosts.allow(f.Node.Addr(), now) {
		return errPacket
	}
	udp := l.socket(ctx, f.Node.Addr())
	if udp == nil || !l.note(f.Node, now) {
		return errPacket
	}
	if _, err := udp.WriteToUDPAddrPort(f.Payload, f.Node); err != nil {
		return errPacket // no route, refused by the kernel: as if lost on the way
	}
	l.g.sent.Add(1)
	return nil
}

// socket returns the socket for a kind of address, or nil if there is none. That for IPv6 is opened
// when it is needed.
func (l *loan) socket(ctx context.Context, a netip.Addr) udpSocket {
	if a.Is4() {
		return l.udp
	}
	if l.udp6 == nil && l.g.open6 != nil {
		s, err := l.g.open6(ctx)
		if err != nil {
			return nil
		}
		l.udp6 = s
		l.down6(s)
	}
	return l.udp6
}

// note remembers that a node was asked, unless too many were. Of many nodes those are forgotten,
// now and then, whose time is over.
func (l *loan) note(node netip.AddrPort, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, known := l.asked[node]
	if !known && len(l.asked) >= fewAsked && now.Sub(l.sweep) > replyTime/4 {
		l.sweep = now
		for n, old := range l.asked {
			if now.After(old.until) {
				delete(l.asked, n)
			}
		}
	}
	if !known && len(l.asked) >= maxAsked {
		return false
	}
	if now.After(d.until) {
		d.replies = 0
	}
	l.asked[node] = debt{d.replies + 1, now.Add(replyTime)}
	return true
}

// owed reports whether a reply of a node is awaited, and crosses it off: a stream gets as many
// replies as it sent queries.
func (l *loan) owed(node netip.AddrPort, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, known := l.asked[node]
	if !known || d.replies == 0 || now.After(d.until) {
		return false
	}
	d.replies--
	l.asked[node] = d
	return true
}

// down carries replies from nodes to the client.
func (l *loan) down(udp udpSocket) {
	buf := make([]byte, frame.MaxPayload+1)
	for {
		n, node, err := udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		node = netip.AddrPortFrom(node.Addr().Unmap(), node.Port())
		packet := buf[:n]
		if n > frame.MaxPayload || !l.g.config.Reply(packet) || !l.owed(node, time.Now()) {
			l.g.dropped.Add(1)
			continue
		}
		if l.write(frame.Frame{Node: node, Payload: packet}) != nil {
			return
		}
		l.g.returned.Add(1)
	}
}

func (l *loan) write(f frame.Frame) error {
	b, err := f.Append(nil)
	if err != nil {
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	l.stream.SetWriteDeadline(time.Now().Add(lentStall))
	_, err = l.stream.Write(b)
	return err
}
