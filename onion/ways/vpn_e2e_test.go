//go:build e2e

// The VPN against Debian's WireGuard: what goes through it, and that nothing goes around it.

package ways_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nightjar/audit/privnet/lab"
	"nightjar/onion/native"
	"nightjar/onion/ways"
	"nightjar/onion/wg"
)

const vpnRule = "ip daddr " + lab.World + " udp dport 51820"

// counting is the hook by which the VPN gets its sockets; it notes how many, and where to.
type counting struct{ opened atomic.Int32 }

func (c *counting) socket(ctx context.Context, network string, to netip.AddrPort) (
	net.Conn, error) {
	if network != "udp" || to != netip.MustParseAddrPort(lab.Endpoint) {
		return nil, errors.New("not the endpoint")
	}
	c.opened.Add(1)
	return native.Dial(ctx, network, to)
}

// sockets returns how many sockets of the system this process's namespace has, but for TCP's.
func sockets(t *testing.T) (n int) {
	t.Helper()
	for _, file := range []string{"/proc/self/net/udp", "/proc/self/net/udp6"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(b, []byte("\n")) - 1
	}
	return n
}

func TestAllGoesThroughTheVPNOrNowhere(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		file, kill := l.WireGuard()
		l.Echo(lab.Inside)
		l.Echo(lab.Far)
		asked := l.DNS(lab.Inside)
		watch := l.Watch(vpnRule)
		hook := &counting{}
		w := open(l.T, "vpn:file", ways.Config{File: file, Socket: hook.socket})
		c := socket(l.T, w)
		for _, host := range []string{lab.Inside, lab.Far} {
			if !echoes(c, host, 5*time.Second) {
				l.T.Fatalf("no datagram comes back from %s", host)
			}
			streams(l.T, w, host)
		}
		found, err := w.VPN.Lookup(t.Context(), "relay.example")
		if err != nil || len(found) != 1 || found[0].String() != lab.Far ||
			<-asked != "relay.example." {
			l.T.Errorf("looked up %v, %v", found, err)
		}
		if n := sockets(l.T); n != 1 || hook.opened.Load() != 1 {
			l.T.Errorf("%d sockets are open", n)
		}
		kill()
		dead(l.T, w, c)
		clean(l.T, watch, only(17, 51820))
	})
}

// streams checks that a stream to a host carries bytes.
func streams(t *testing.T, w *ways.Way, host string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	s, err := w.Packets.DialAddr(ctx, netip.MustParseAddrPort(host+":7"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	said := strings.Repeat("hello", 20_000)
	go io.WriteString(s, said)
	b := make([]byte, len(said))
	if _, err := io.ReadFull(s, b); err != nil || string(b) != said {
		t.Fatalf("a stream to %s: %v", host, err)
	}
}

// dead goes on using a way whose other end is gone.
func dead(t *testing.T, w *ways.Way, c net.PacketConn) {
	t.Helper()
	for range 10 {
		if echoes(c, lab.Far, 100*time.Millisecond) {
			t.Fatal("a datagram comes back through nothing")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := w.Packets.DialAddr(ctx, netip.MustParseAddrPort(lab.Far+":7")); err == nil {
		t.Error("a stream opens through nothing")
	}
	if w.VPN != nil {
		if _, err := w.VPN.Lookup(ctx, "after.example"); err == nil {
			t.Error("a name is found through nothing")
		}
	}
}

func TestDeadVPNDoesNotOpen(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		file, kill := l.WireGuard()
		kill()
		watch := l.Watch(vpnRule)
		choice, err := ways.Parse("vpn:file")
		if err != nil {
			l.T.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(l.T.Context(), 2*time.Second)
		defer cancel()
		_, err = ways.Open(ctx, choice, ways.Config{File: file})
		if !errors.Is(err, wg.ErrSilent) {
			l.T.Errorf("a dead VPN: %v", err)
		}
		if n := sockets(l.T); n != 0 {
			l.T.Errorf("%d sockets are left", n)
		}
		clean(l.T, watch, only(17, 51820))
	})
}

// The address changes under a VPN that is used: the old one is gone, as when a laptop moves.
func TestVPNRoams(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		file, _ := l.WireGuard()
		l.Echo(lab.Inside)
		watch := l.Watch(vpnRule)
		w := open(l.T, "vpn:file", ways.Config{File: file})
		c := socket(l.T, w)
		if !echoes(c, lab.Inside, 5*time.Second) {
			l.T.Fatal("no datagram comes back at first")
		}
		for _, move := range []struct{ name, from, to string }{
			{"noticed", lab.Home, "192.0.2.77"}, {"told", "192.0.2.77", "192.0.2.78"}} {
			begun := time.Now()
			l.Do("ip", "addr", "del", move.from+"/24", "dev", "eth0")
			l.Do("ip", "addr", "add", move.to+"/24", "dev", "eth0")
			l.Do("ip", "route", "replace", "default", "via", lab.World)
			if move.name == "told" {
				w.VPN.Roam()
			}
			l.Await(30*time.Second, "the VPN is back after "+move.name, func() bool {
				return echoes(c, lab.Inside, 100*time.Millisecond)
			})
			l.T.Logf("%s: back after %v, %d sockets", move.name,
				time.Since(begun).Round(time.Millisecond), w.VPN.Health().Sockets)
		}
		if n := sockets(l.T); n != 1 {
			l.T.Errorf("%d sockets are open", n)
		}
		clean(l.T, watch, only(17, 51820))
	})
}
