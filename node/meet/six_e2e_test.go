// Claims about IPv6 on real sockets: in a namespace, where the machine has as many addresses as the
// test gives it.

//go:build e2e

package meet_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"nightjar/audit/enclose"
	"nightjar/audit/privnet/lender"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/meet/relay"
	"nightjar/node/meet/serve"
)

// insideMark is the argument that tells the run in the namespace from the others.
const insideMark = "inside"

func TestIPv6OnRealSockets(t *testing.T) {
	code, err := enclose.Again(t.Context(), "-test.run=TestInsideANamespace", "-test.count=1",
		"-test.v", insideMark)
	if err != nil {
		t.Fatalf("%v (packages mount and iproute2)", err)
	}
	if code != 0 {
		t.Fatalf("inside: exit code %d", code)
	}
}

// six is a swarm of nodes of ours, half of IPv4 and half of IPv6, each in a network of its own.
func six(t *testing.T, half int) (all []netip.AddrPort) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	var servers []*serve.Server
	place := func(i int) netip.Addr {
		if i%2 == 1 {
			return netip.AddrFrom16([16]byte{0xfd, 0, 0, byte(i), 15: 1})
		}
		return netip.AddrFrom4([4]byte{127, byte(i + 1), 9, 1})
	}
	first := []netip.AddrPort{netip.AddrPortFrom(place(0), 6881),
		netip.AddrPortFrom(place(1), 6881)}
	for i := range 2 * half {
		a := place(i)
		if i%2 == 1 {
			add := exec.Command("ip", "addr", "add", a.String()+"/128", "dev", "lo", "nodad")
			if out, err := add.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		network := []string{"udp4", "udp6"}[i%2]
		c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 6881)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, netip.AddrPortFrom(a, 6881))
		s := &serve.Server{Allowed: func(netip.AddrPort) bool { return true },
			Nodes: func() []netip.AddrPort { return first }}
		servers = append(servers, s)
		running.Go(func() { _ = s.Run(ctx, c, i%2 == 1) })
	}
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for end := time.Now().Add(40 * time.Second); ; <-poll.C {
		least := half
		for _, s := range servers {
			least = min(least, s.Stats().Nodes)
		}
		if least >= half/3 {
			return all
		}
		if time.Now().After(end) {
			t.Fatalf("a node knows %d others", least)
		}
	}
}

// own is a lender that is no relay: walks are our own.
type own struct{ *lender.Lender }

func (o own) Trip() meet.Trip { return o }

func (o own) Relay(context.Context) (*relay.Link, error) { return nil, relay.ErrRelay }

// through is a gateway that knows some nodes, and lends IPv6 at an address, or at none.
func through(t *testing.T, nodes []netip.AddrPort, listen6 string) *lender.Lender {
	t.Helper()
	l, err := lender.Start6(t.Context(), nodes, listen6)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	return l
}

func TestInsideANamespace(t *testing.T) {
	if !slices.Contains(os.Args, insideMark) {
		return // TestIPv6OnRealSockets runs it
	}
	begun := time.Now()
	nodes := six(t, 16)
	t.Logf("the nodes know each other after %v", time.Since(begun).Round(time.Millisecond))
	four := through(t, []netip.AddrPort{nodes[0], nodes[2], nodes[4]}, "")
	both := through(t, nodes[:6], "[::]:0")
	alone := through(t, []netip.AddrPort{nodes[1], nodes[3], nodes[5]}, "[::]:0")
	for n, c := range []struct{ writer, reader meet.Carrier }{
		{both, four}, {both, own{four}}, {both, own{both}}, {both, own{alone}}, {own{both}, four},
	} {
		root := [32]byte{byte(n), 1}
		r := card.Reach{Auth: root, Expires: time.Now().Add(24 * time.Hour)}
		acks, err := (&meet.Meeting{Carrier: c.writer}).Publish(t.Context(), root, meet.Low, r)
		if err != nil || acks < 16 { // of 16 of IPv4 and 8 of IPv6
			t.Fatalf("stored at %d: %v", acks, err)
		}
		got, err := (&meet.Meeting{Carrier: c.reader}).Find(t.Context(), root, meet.Low)
		if err != nil || got.Auth != root {
			t.Errorf("case %d: %v", n, err)
		}
		<-time.After(time.Second) // a node answers one address 20 times in one
	}
}
