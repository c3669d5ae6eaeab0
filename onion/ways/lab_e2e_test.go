//go:build e2e || bench

// What tests in the lab have in common.

package ways_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"nightjar/audit/privnet/lab"
	"nightjar/onion/native"
	"nightjar/onion/ways"
)

// open opens a way as a user would choose it.
func open(t *testing.T, words string, c ways.Config) *ways.Way {
	t.Helper()
	choice, err := ways.Parse(words)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, err := ways.Open(ctx, choice, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// echoes reports whether a datagram to port 7 of a host comes back in time.
func echoes(c net.PacketConn, host string, d time.Duration) bool {
	to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(host + ":7"))
	if _, err := c.WriteTo([]byte("hello "+host), to); err != nil {
		return false
	}
	c.SetReadDeadline(time.Now().Add(d))
	b := make([]byte, 100)
	n, from, err := c.ReadFrom(b)
	return err == nil && string(b[:n]) == "hello "+host && from.String() == to.String()
}

// socket opens a socket of a way.
func socket(t *testing.T, w *ways.Way) net.PacketConn {
	t.Helper()
	c, err := w.Packets.ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// stray sends a datagram around the way, as a program that falls back would.
func stray(t *testing.T) {
	t.Helper()
	c, err := native.Dial(t.Context(), "udp", netip.MustParseAddrPort(lab.Far+":4"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("here I am"))
}

// only is true of packets to one port of the world.
func only(proto byte, port uint16) func(lab.Packet) bool {
	to := netip.AddrPortFrom(netip.MustParseAddr(lab.World), port)
	return func(p lab.Packet) bool { return p.Proto == proto && p.To == to }
}

// clean checks that nothing has left but what may, then that a packet which goes astray is seen.
func clean(t *testing.T, w *lab.Watch, may func(lab.Packet) bool) {
	t.Helper()
	counted := w.Counted()
	t.Logf("%d packets to where they may go, %d others", counted.Allowed, counted.Stray)
	if counted.Allowed == 0 || counted.Stray > 0 {
		t.Errorf("counted %+v", counted)
	}
	stray(t)
	if n := w.Counted(); n.Stray != counted.Stray+1 {
		t.Errorf("a stray packet is counted as %d: the counters prove nothing", n.Stray)
	}
	captured := w.Captured(may)
	if captured.Stray != counted.Stray+1 || captured.Allowed < counted.Allowed {
		t.Errorf("captured %+v, counted %+v and one that went astray", captured, counted)
	}
}
