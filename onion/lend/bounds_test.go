// A gateway cannot be used up, nor used as a weapon.

package lend

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/onion/frame"
	"nightjar/onion/pipe"
)

func TestFastClientIsSlowedNotRobbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		begun := time.Now()
		for i := range byte(200) {
			c.WriteTo([]byte("query"), &net.UDPAddr{IP: net.IP{1, 2, 3, i}, Port: 6881})
		}
		tick := time.NewTicker(10 * time.Millisecond)
		for s.udp.count() < 200 {
			<-tick.C
		}
		if d := time.Since(begun); d < 2900*time.Millisecond || d > 3100*time.Millisecond {
			t.Errorf("200 datagrams took %v, want 3 s: 80 at once, then 40/s", d)
		}
	})
}

func TestOneHostIsNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		for range 4 {
			c := NewPacketConn(s.client())
			defer c.Close()
			for port := range 50 {
				c.WriteTo([]byte("query"), &net.UDPAddr{IP: net.IP{1, 2, 3, 4}, Port: 6881 + port})
			}
		}
		synctest.Wait()
		if n := s.udp.count(); n != hostRate {
			t.Errorf("one host was sent %d datagrams in a second", n)
		}
	})
}

func TestSeatsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		for range maxLent {
			defer s.client().Close()
		}
		extra := s.client()
		if _, err := extra.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("one stream too many was served: %v", err)
		}
		st := s.g.Stats()
		if st.Streams != maxLent || st.Served != maxLent || st.Refused != 1 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestIdleStreamsLoseTheirSeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		begun := time.Now()
		if _, err := s.client().Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		if d := time.Since(begun); d != lentIdle {
			t.Errorf("an idle stream ended after %v", d)
		}
	})
}

func TestBusyStreamsEndToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		begun := time.Now()
		tick := time.NewTicker(time.Minute)
		for {
			select {
			case <-c.Lost():
				if d := time.Since(begun); d != lentLife {
					t.Errorf("a stream ended after %v", d)
				}
				return
			case <-tick.C:
				c.WriteTo([]byte("query"), udpAddr("1.2.3.4:6881"))
			}
		}
	})
}

func TestClientThatDoesNotReadIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{Nodes: func() []netip.AddrPort {
			return make([]netip.AddrPort, 16)
		}})
		defer s.end(t)
		c := s.client()
		ask, _ := frame.Frame{Node: frame.Control()}.Append(nil)
		begun := time.Now()
		for {
			if _, err := c.Write(ask); err != nil {
				break
			}
		}
		full := time.Duration(pipe.Buffer/8/streamRate) * time.Second
		if d := time.Since(begun); d > 2*full+lentStall+lentIdle {
			t.Errorf("it took %v", d)
		}
	})
}

func TestTooManyNodesAreNotAwaited(t *testing.T) {
	l := &loan{asked: map[netip.AddrPort]debt{}}
	now := time.Unix(0, 0)
	at := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{1, 2, byte(i >> 8), byte(i)}), 6881)
	}
	for i := range maxAsked {
		if !l.note(at(i), now) {
			t.Fatalf("node %d was refused", i)
		}
	}
	if l.note(at(maxAsked), now) {
		t.Error("one node too many")
	}
	if !l.note(at(maxAsked), now.Add(replyTime+time.Second)) || len(l.asked) != 1 {
		t.Errorf("nodes whose time is over are kept: %d", len(l.asked))
	}
}

func TestRealSocketCannotBroadcast(t *testing.T) {
	broadcast := netip.MustParseAddrPort("127.255.255.255:9")
	at := netip.MustParseAddrPort("127.0.0.1:0")
	naive, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	defer naive.Close()
	if _, err := naive.WriteToUDPAddrPort([]byte("x"), broadcast); err != nil {
		t.Errorf("the naive socket cannot broadcast either: this test proves nothing (%v)", err)
	}
	c, err := openUDP(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.WriteToUDPAddrPort([]byte("x"), broadcast); err == nil {
		t.Error("a broadcast left the gateway")
	}
}

func TestRealSocketsCarryDatagrams(t *testing.T) {
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IP{127, 0, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	yes := func([]byte) bool { return true }
	g, err := New(Config{Listen: "127.0.0.1:0", AllowPrivate: true, Accept: yes, Reply: yes})
	if err != nil {
		t.Fatal(err)
	}
	q := &queue{streams: make(chan net.Conn), gone: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- g.Serve(ctx, q) }()
	near, far := pipe.New()
	q.streams <- far
	c := NewPacketConn(near)
	defer c.Close()
	c.WriteTo([]byte("ping"), other.LocalAddr())
	b := make([]byte, 100)
	n, from, err := other.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != "ping" {
		t.Fatalf("node read %q, %v", b[:n], err)
	}
	other.WriteToUDPAddrPort([]byte("pong"), from)
	if n, _, err := c.ReadFrom(b); err != nil || string(b[:n]) != "pong" {
		t.Errorf("client read %q, %v", b[:n], err)
	}
	stop()
	<-ended
}
