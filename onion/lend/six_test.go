// IPv6 goes through a gateway that lends it; ends that have never heard of it are not disturbed.

package lend

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"

	"nightjar/onion/frame"
	"nightjar/onion/pipe"
)

// newScene6 is a scene whose gateway lends IPv6 at the second socket.
func newScene6(t *testing.T, nodes ...netip.AddrPort) (*scene, *memoryUDP) {
	s, six := newScene(t, Config{Listen6: "[::]:0",
		Nodes: func() []netip.AddrPort { return nodes }}), newMemoryUDP()
	s.g.open6 = func(context.Context) (udpSocket, error) { return six, nil }
	return s, six
}

func TestIPv6GoesOutAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := []netip.AddrPort{node("1.2.3.4:6881"), node("[2a00::1]:6881")}
		s, six := newScene6(t, known...)
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		got, err := c.Nodes(t.Context())
		if err != nil || len(got) != 2 || got[0] != known[0] || got[1] != known[1] {
			t.Fatalf("nodes %v, %v", got, err)
		}
		if four, six := c.Carries(); !four || !six {
			t.Fatal("the gateway did not say that it lends IPv6")
		}
		for _, to := range known {
			if _, err := c.WriteTo([]byte("query"), net.UDPAddrFromAddrPort(to)); err != nil {
				t.Fatal(err)
			}
		}
		c.WriteTo([]byte("query"), udpAddr("[fd00::1]:6881")) // inside
		synctest.Wait()
		if s.udp.count() != 1 || six.count() != 1 || six.sent[0].Node != known[1] {
			t.Fatalf("sent %v and %v", s.udp.sent, six.sent)
		}
		six.in <- frame.Frame{Node: node("[2a00::2]:6881"), Payload: []byte("reply")} // unasked
		six.in <- frame.Frame{Node: known[1], Payload: []byte("reply")}
		b := make([]byte, 100)
		n, from, err := c.ReadFrom(b)
		if err != nil || string(b[:n]) != "reply" || from.String() != "[2a00::1]:6881" {
			t.Errorf("read %q from %v, %v", b[:n], from, err)
		}
	})
}

func TestGatewayWithoutIPv6SaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		if _, err := c.Nodes(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, six := c.Carries(); six {
			t.Error("it says that it lends IPv6")
		}
		to := udpAddr("[2a00::1]:6881")
		if _, err := c.WriteTo([]byte("query"), to); !errors.Is(err, ErrDatagram) {
			t.Errorf("a client sends what nobody carries: %v", err)
		}
		c.carries6.Store(true) // a client that sends it all the same
		c.WriteTo([]byte("query"), to)
		synctest.Wait()
		if s.udp.count() != 0 || s.g.Stats().Dropped != 1 {
			t.Errorf("stats %+v", s.g.Stats())
		}
	})
}

// oldGateway answers the question for nodes and ignores all others, as gateways did that knew
// nothing of IPv6.
func oldGateway(stream net.Conn, nodes []netip.AddrPort) {
	for {
		f, err := frame.Read(stream, make([]byte, frame.MaxFrame))
		if err != nil {
			return
		}
		if f.Node == frame.Control() && len(f.Payload) == 0 {
			out, _ := frame.Frame{Node: frame.Control(),
				Payload: frame.AppendNodes(nil, nodes)}.Append(nil)
			stream.Write(out)
		}
	}
}

func TestOldGatewayIsUnderstood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pipe.New()
		go oldGateway(far, []netip.AddrPort{node("1.2.3.4:6881")})
		c := NewPacketConn(near)
		defer c.Close()
		nodes, err := c.Nodes(t.Context())
		if err != nil || len(nodes) != 1 {
			t.Fatalf("%v, %v", nodes, err)
		}
		if _, six := c.Carries(); six {
			t.Error("it is believed to lend IPv6")
		}
	})
}

func TestOldClientIsServedAsEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newScene6(t, node("[2a00::1]:6881"), node("1.2.3.4:6881"))
		defer s.end(t)
		c := s.client()
		defer c.Close()
		question, _ := frame.Frame{Node: frame.Control()}.Append(nil)
		c.Write(question)
		f, err := frame.Read(c, make([]byte, frame.MaxFrame))
		if err != nil || len(f.Payload) != 6 {
			t.Errorf("it is told %x, %v", f.Payload, err)
		}
	})
}

func TestOneNetworkOfIPv6CountsAsOneHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, six := newScene6(t)
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		c.carries6.Store(true)
		for i := range byte(50) {
			ip := net.IP{0x2a, 0, 15: i}
			c.WriteTo([]byte("query"), &net.UDPAddr{IP: ip, Port: 6881})
		}
		synctest.Wait()
		if n := six.count(); n != hostRate {
			t.Errorf("one network of 64 bits was sent %d datagrams in a second", n)
		}
	})
}
