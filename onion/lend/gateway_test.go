// What a gateway does for its clients, and what it does for nobody.

package lend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/onion/frame"
	"nightjar/onion/pipe"
)

// memoryUDP is a socket in memory: it notes what is sent, and receives what the test puts in.
type memoryUDP struct {
	mu   sync.Mutex
	sent []frame.Frame
	in   chan frame.Frame
	gone chan struct{}
	once sync.Once
}

func newMemoryUDP() *memoryUDP {
	return &memoryUDP{in: make(chan frame.Frame), gone: make(chan struct{})}
}

func (u *memoryUDP) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case f := <-u.in:
		return copy(b, f.Payload), f.Node, nil
	case <-u.gone:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (u *memoryUDP) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sent = append(u.sent, frame.Frame{Node: to, Payload: bytes.Clone(b)})
	return len(b), nil
}

func (u *memoryUDP) Close() error {
	u.once.Do(func() { close(u.gone) })
	return nil
}

func (u *memoryUDP) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.sent)
}

// queue is a net.Listener of streams that the test makes.
type queue struct {
	streams chan net.Conn
	gone    chan struct{}
	once    sync.Once
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.streams:
		return c, nil
	case <-q.gone:
		return nil, net.ErrClosed
	}
}

func (q *queue) Close() error {
	q.once.Do(func() { close(q.gone) })
	return nil
}

func (q *queue) Addr() net.Addr { return nil }

// A scene is a gateway at work with a socket in memory. Packets beginning with q are queries, with
// r replies.
type scene struct {
	g      *Gateway
	udp    *memoryUDP
	listen *queue
	stop   context.CancelFunc
	ended  chan error
}

func newScene(t *testing.T, c Config) *scene {
	t.Helper()
	c.Accept = func(b []byte) bool { return bytes.HasPrefix(b, []byte("q")) }
	c.Reply = func(b []byte) bool { return bytes.HasPrefix(b, []byte("r")) }
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{g: g, udp: newMemoryUDP(), ended: make(chan error, 1),
		listen: &queue{streams: make(chan net.Conn), gone: make(chan struct{})}}
	g.open = func(context.Context) (udpSocket, error) { return s.udp, nil }
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() { s.ended <- g.Serve(ctx, s.listen) }()
	return s
}

// client opens a stream.
func (s *scene) client() net.Conn {
	near, far := pipe.New()
	s.listen.streams <- far
	return near
}

func (s *scene) end(t *testing.T) {
	t.Helper()
	s.stop()
	if err := <-s.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("serve ended with %v", err)
	}
}

func node(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func udpAddr(s string) *net.UDPAddr { return net.UDPAddrFromAddrPort(node(s)) }

func TestDatagramsGoOutAndRepliesComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		c.WriteTo([]byte("query"), udpAddr("1.2.3.4:6881"))
		synctest.Wait()
		if len(s.udp.sent) != 1 || s.udp.sent[0].Node != node("1.2.3.4:6881") ||
			string(s.udp.sent[0].Payload) != "query" {
			t.Fatalf("sent %v", s.udp.sent)
		}
		s.udp.in <- frame.Frame{Node: node("1.2.3.4:6881"), Payload: []byte("reply")}
		b := make([]byte, 100)
		n, from, err := c.ReadFrom(b)
		if err != nil || string(b[:n]) != "reply" || from.String() != "1.2.3.4:6881" {
			t.Errorf("read %q from %v, %v", b[:n], from, err)
		}
		if ip := from.(*net.UDPAddr).IP; len(ip) != 4 {
			t.Errorf("the address has %d bytes: a DHT would take it for another node", len(ip))
		}
	})
}

func TestGatewayIsNoWayIntoItsNetwork(t *testing.T) {
	attack := func(t *testing.T, c Config) int {
		s := newScene(t, c)
		defer s.end(t)
		client := NewPacketConn(s.client())
		defer client.Close()
		for _, ip := range []string{"10.0.0.1", "127.0.0.1", "192.168.1.1", "169.254.169.254"} {
			client.WriteTo([]byte("query"), &net.UDPAddr{IP: net.ParseIP(ip), Port: 8080})
		}
		synctest.Wait()
		return s.udp.count()
	}
	synctest.Test(t, func(t *testing.T) {
		if n := attack(t, Config{}); n != 0 {
			t.Errorf("%d datagrams reached addresses inside", n)
		}
		if n := attack(t, Config{AllowPrivate: true}); n != 4 {
			t.Errorf("the naive gateway let %d of 4 through: this test proves nothing", n)
		}
	})
}

func TestOnlyQueriesGoOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		c.WriteTo([]byte("anything else"), udpAddr("1.2.3.4:6881"))
		synctest.Wait()
		if st := s.g.Stats(); s.udp.count() != 0 || st.Dropped != 1 || st.Sent != 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

// naiveLend returns whatever reaches its socket, as a gateway without a memory would.
func naiveLend(stream net.Conn, udp udpSocket) {
	b := make([]byte, frame.MaxPayload)
	for {
		n, from, err := udp.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		out, _ := frame.Frame{Node: from, Payload: b[:n]}.Append(nil)
		stream.Write(out)
	}
}

func TestNobodyCanSendToAClientUnasked(t *testing.T) {
	stranger := frame.Frame{Node: node("6.6.6.6:6881"), Payload: []byte("reply")}
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		c := s.client()
		defer c.Close()
		query, _ := frame.Frame{Node: node("1.2.3.4:6881"), Payload: []byte("query")}.Append(nil)
		c.Write(query)
		s.udp.in <- stranger
		c.SetReadDeadline(time.Now().Add(time.Minute))
		if n, _ := c.Read(make([]byte, 1)); n != 0 {
			t.Error("a stranger's datagram reached the client")
		}
		near, far := pipe.New()
		udp := newMemoryUDP()
		defer udp.Close()
		go naiveLend(far, udp)
		udp.in <- stranger
		if n, _ := near.Read(make([]byte, 1)); n != 1 {
			t.Error("the naive gateway stopped the stranger: this test proves nothing")
		}
	})
}

func TestNodesOweOneReplyToAQueryForHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		reply := frame.Frame{Node: node("1.2.3.4:6881"), Payload: []byte("reply")}
		returned := func() uint64 { synctest.Wait(); return s.g.Stats().Returned }
		ask := func() { c.WriteTo([]byte("query"), udpAddr("1.2.3.4:6881")); synctest.Wait() }
		ask()
		for range 5 {
			s.udp.in <- reply
		}
		if n := returned(); n != 1 {
			t.Errorf("one query, %d replies", n)
		}
		ask()
		ask()
		for range 5 {
			s.udp.in <- reply
		}
		if n := returned(); n != 3 {
			t.Errorf("three queries, %d replies", n)
		}
		ask()
		late := time.NewTimer(replyTime + time.Second)
		<-late.C
		s.udp.in <- reply
		if n := returned(); n != 3 {
			t.Error("a late reply was returned")
		}
		ask()
		s.udp.in <- frame.Frame{Node: node("1.2.3.4:6881"), Payload: []byte("not a reply")}
		s.udp.in <- frame.Frame{Node: node("1.2.3.4:6881"), Payload: append([]byte("r"), make([]byte, 1500)...)}
		if n := returned(); n != 3 {
			t.Error("something else than a reply was returned")
		}
	})
}

func TestGatewayTellsOfNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var many []netip.AddrPort
		for i := range byte(40) {
			many = append(many, netip.AddrPortFrom(netip.AddrFrom4([4]byte{1, 2, 3, i}), 6881))
		}
		s := newScene(t, Config{Nodes: func() []netip.AddrPort { return many }})
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		nodes, err := c.Nodes(t.Context())
		if err != nil || len(nodes) != frame.MaxNodes || nodes[15] != many[15] {
			t.Errorf("%d nodes, %v", len(nodes), err)
		}
		s = newScene(t, Config{})
		defer s.end(t)
		none := NewPacketConn(s.client())
		defer none.Close()
		if nodes, err := none.Nodes(t.Context()); err != nil || len(nodes) != 0 {
			t.Errorf("a gateway without nodes: %d, %v", len(nodes), err)
		}
	})
}

func TestFalseFrameEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		c := s.client()
		c.Write([]byte{255, 255, 0})
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the stream goes on: %v", err)
		}
		s = newScene(t, Config{})
		defer s.end(t)
		unknown := s.client()
		defer unknown.Close()
		b, _ := frame.Frame{Node: frame.Control(), Payload: []byte("?")}.Append(nil)
		unknown.Write(b)
		synctest.Wait()
		if s.g.Stats().Streams != 1 {
			t.Error("an unknown question ended the stream")
		}
	})
}

func TestNewRefusesWhatItCannotKeep(t *testing.T) {
	yes := func([]byte) bool { return true }
	for _, c := range []Config{
		{}, {Accept: yes}, {Reply: yes},
		{Accept: yes, Reply: yes, Listen: "localhost:0"},
		{Accept: yes, Reply: yes, Listen: "[::1]:0"},
		{Accept: yes, Reply: yes, Listen6: "127.0.0.1:0"},
		{Accept: yes, Reply: yes, Listen6: "[::1]:6881"},
		{Accept: yes, Reply: yes, Listen: "127.0.0.1:6881"},
	} {
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%q was taken: %v", c.Listen, err)
		}
	}
}
