// Claims about the two forms of a stream, and about what a gateway lends to itself.

package lend

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestFirstByteTellsTheFormsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := []netip.AddrPort{node("1.2.3.4:6881")}
		s := newScene(t, Config{Nodes: func() []netip.AddrPort { return nodes },
			Relay: func(_ context.Context, stream net.Conn) {
				line, _ := bufio.NewReader(stream).ReadString('\n')
				io.WriteString(stream, "heard "+line)
			}})
		defer s.end(t)
		web := s.client()
		io.WriteString(web, "GET /x HTTP/1.1\n")
		if b, _ := io.ReadAll(web); string(b) != "heard GET /x HTTP/1.1\n" {
			t.Errorf("the relay answered %q", b)
		}
		c := NewPacketConn(s.client())
		defer c.Close()
		if got, err := c.Nodes(t.Context()); err != nil || len(got) != 1 {
			t.Errorf("frames: %v, %v", got, err)
		}
	})
}

func TestWithoutARelayRequestsAreHungUpOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		web := s.client()
		io.WriteString(web, "PUT /x HTTP/1.1\r\n\r\n")
		if b, err := io.ReadAll(web); len(b) > 0 || err != nil {
			t.Errorf("read %q, %v", b, err)
		}
	})
}

func TestSilentStreamOfNoFormEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{Relay: func(context.Context, net.Conn) { t.Error("served") }})
		defer s.end(t)
		c, begun := s.client(), time.Now()
		if b, _ := io.ReadAll(c); len(b) > 0 || time.Since(begun) != lentIdle {
			t.Errorf("read %q after %v", b, time.Since(begun))
		}
	})
}

func TestRulesHoldForTheRelayToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *scene
		done := make(chan struct{})
		s = newScene(t, Config{Relay: func(ctx context.Context, stream net.Conn) {
			defer close(done)
			c, _, err := s.g.Open(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for _, to := range []string{"192.168.1.1:6881", "1.2.3.4:53", "1.2.3.4:6881"} {
				c.WriteTo([]byte("query"), udpAddr(to))
				c.WriteTo([]byte("no query"), udpAddr(to))
			}
			synctest.Wait()
		}})
		defer s.end(t)
		io.WriteString(s.client(), "GET")
		<-done
		if n := s.udp.count(); n != 1 {
			t.Errorf("%d of 6 datagrams went out", n)
		}
	})
}

func TestWhatTheRelayBorrowsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		var conns []net.PacketConn
		for {
			c, _, err := s.g.Open(t.Context())
			if errors.Is(err, ErrBusy) {
				break
			}
			conns = append(conns, c)
		}
		if len(conns) != maxOwn {
			t.Errorf("%d seats", len(conns))
		}
		for _, c := range conns {
			c.Close()
		}
		synctest.Wait()
		if n := len(s.g.seats); n != 0 {
			t.Errorf("%d seats are still taken", n)
		}
	})
}
