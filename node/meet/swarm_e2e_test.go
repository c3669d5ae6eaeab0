// Meeting over a private DHT: claims that need real nodes.

//go:build e2e

package meet_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"nightjar/audit/privnet/swarm"
	"nightjar/node/card"
	"nightjar/node/meet"
)

// direct is a Carrier without a gateway: a fresh UDP socket for each road.
type direct struct {
	seeds []netip.AddrPort
	opens atomic.Int64
}

func (d *direct) Open(context.Context) (net.PacketConn, []netip.AddrPort, error) {
	d.opens.Add(1)
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	return c, d.seeds, err
}

func start(t testing.TB, o swarm.Options) *swarm.Swarm {
	t.Helper()
	s, err := swarm.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func random(t testing.TB) (b [32]byte) {
	t.Helper()
	rand.Read(b[:])
	return b
}

func someReach(t testing.TB) card.Reach {
	return card.Reach{Auth: random(t), Expires: time.Now().Add(time.Hour).Truncate(time.Hour).UTC(), Caps: 1}
}

func TestContactsFindEachOther(t *testing.T) {
	s := start(t, swarm.Options{Nodes: 50})
	d := &direct{seeds: s.Addrs()[:8]}
	m := &meet.Meeting{Carrier: d}
	for range 20 {
		root, want := random(t), someReach(t)
		stored, err := m.Publish(t.Context(), root, meet.Low, want)
		if err != nil || stored < 8 {
			t.Fatalf("stored at %d: %v", stored, err)
		}
		got, err := m.Find(t.Context(), root, meet.Low)
		if err != nil || got.Auth != want.Auth || !got.Expires.Equal(want.Expires) {
			t.Fatalf("found %+v: %v", got, err)
		}
		if _, err := m.Find(t.Context(), root, meet.High); !errors.Is(err, meet.ErrNotFound) {
			t.Fatalf("the other side: %v", err)
		}
	}
	t.Log(runtime.NumGoroutine())
}

func TestTimes(t *testing.T) {
	s := start(t, swarm.Options{Nodes: 50, Delay: 40 * time.Millisecond})
	d := &direct{seeds: s.Addrs()[:8]}
	m := &meet.Meeting{Carrier: d}
	for range 10 {
		root, want := random(t), someReach(t)
		a := time.Now()
		stored, err := m.Publish(t.Context(), root, meet.Low, want)
		b := time.Now()
		_, err2 := m.Find(t.Context(), root, meet.Low)
		c := time.Now()
		_, err3 := m.Find(t.Context(), root, meet.High)
		t.Log(stored, err, err2, err3, b.Sub(a), c.Sub(b), time.Since(c))
	}
}
