// Claims about the internet in memory: it keeps out what real NATs keep out.

package inet

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func listen(t *testing.T, w *Way) net.PacketConn {
	t.Helper()
	c, err := w.ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends a word and returns from where it came, or zero if it did not within a second.
func send(t *testing.T, from, to net.PacketConn, at netip.AddrPort) netip.AddrPort {
	t.Helper()
	if _, err := from.WriteTo([]byte("word"), net.UDPAddrFromAddrPort(at)); err != nil {
		t.Fatal(err)
	}
	to.SetReadDeadline(time.Now().Add(time.Second))
	b := make([]byte, 9)
	n, seen, err := to.ReadFrom(b)
	if err != nil {
		return netip.AddrPort{}
	}
	if string(b[:n]) != "word" {
		t.Fatalf("%q came", b[:n])
	}
	return seen.(*net.UDPAddr).AddrPort()
}

func TestNATLetsInOnlyWhoWasSentTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		open, other := n.Way(Open), n.Way(Open)
		a, b := listen(t, open), listen(t, other)
		at := netip.AddrPortFrom(open.Addr(), 1025)
		b2 := netip.AddrPortFrom(other.Addr(), 1025)
		for _, kind := range []NAT{Home, Strict} {
			c := listen(t, n.Way(kind))
			seen, again := send(t, c, a, at), send(t, c, a, at)
			if !seen.IsValid() || seen != again {
				t.Fatal("two datagrams to one place leave by two ports")
			}
			if !send(t, a, c, seen).IsValid() {
				t.Error("the answer does not get in")
			}
			if send(t, b, c, seen).IsValid() {
				t.Error("a stranger gets in")
			}
			if same := send(t, c, b, b2) == seen; same != (kind == Home) {
				t.Errorf("the same port for another destination: %v", same)
			}
			if got := send(t, b, c, seen).IsValid(); got != (kind == Home) {
				t.Errorf("who was sent to gets in by the first port: %v", got)
			}
			<-time.After(2 * forgets)
			if send(t, a, c, seen).IsValid() {
				t.Error("the NAT forgets nothing")
			}
			if send(t, c, a, at) == seen {
				t.Error("the NAT keeps its port")
			}
		}
		if seen := send(t, b, a, at); seen != b2 {
			t.Error("an open machine is not seen as it is")
		}
		open.Move()
		if send(t, b, a, at).IsValid() {
			t.Error("the old address still leads there")
		}
		if !send(t, b, a, netip.AddrPortFrom(open.Addr(), 1025)).IsValid() {
			t.Error("the new address does not lead there")
		}
	})
}

func TestClosedWayHasNoSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New().Way(Home)
		c := listen(t, w)
		ended := make(chan error, 1)
		go func() {
			_, _, err := c.ReadFrom(nil)
			ended <- err
		}()
		synctest.Wait()
		w.Close()
		w.Close()
		<-w.Done()
		if <-ended != net.ErrClosed {
			t.Error("reading goes on")
		}
		if _, err := c.WriteTo(nil, &net.UDPAddr{}); err != net.ErrClosed {
			t.Error(err)
		}
		if _, err := w.ListenPacket(t.Context()); err == nil {
			t.Error("a socket of a way that is closed")
		}
		if _, err := w.DialAddr(t.Context(), netip.AddrPort{}); err != ErrStream {
			t.Error(err)
		}
	})
}
