//go:build e2e

// A gateway through its onion service, with real datagrams.
package onion_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"nightjar/onion"
)

func TestGatewayCarriesDatagramsThroughTor(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	node, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IP{127, 0, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	go func() {
		b := make([]byte, 2000)
		for {
			n, from, err := node.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			node.WriteToUDPAddrPort(append([]byte("r"), b[1:n]...), from)
		}
	}()
	at := netip.MustParseAddrPort(node.LocalAddr().String())
	g, err := onion.NewGateway(onion.GatewayConfig{Listen: "127.0.0.1:0", AllowPrivate: true,
		Accept: func(b []byte) bool { return bytes.HasPrefix(b, []byte("q")) },
		Reply:  func(b []byte) bool { return bytes.HasPrefix(b, []byte("r")) },
		Nodes:  func() []netip.AddrPort { return []netip.AddrPort{at} }})
	if err != nil {
		t.Fatal(err)
	}
	l, err := there.Publish(t.Context(), onion.Service{Port: 6881, Seed: [32]byte{6}})
	if err != nil {
		t.Fatal(err)
	}
	<-l.Published()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx, l) }()

	conn := onion.NewPacketConn(dial(t, here, onion.Remote{ID: l.ID(), Port: 6881}, ""))
	defer conn.Close()
	nodes, err := conn.Nodes(t.Context())
	if err != nil || len(nodes) != 1 || nodes[0] != at {
		t.Fatalf("nodes %v, %v", nodes, err)
	}
	begun := time.Now()
	const many = 50
	for i := range byte(many) {
		conn.WriteTo([]byte{'q', i}, net.UDPAddrFromAddrPort(nodes[0]))
	}
	b := make([]byte, 2000)
	for i := range byte(many) {
		n, from, err := conn.ReadFrom(b)
		if err != nil || !bytes.Equal(b[:n], []byte{'r', i}) || from.String() != at.String() {
			t.Fatalf("datagram %d: %q from %v, %v", i, b[:n], from, err)
		}
	}
	t.Logf("%d queries and replies in %v", many, time.Since(begun).Round(time.Millisecond))
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("serve ended with %v", err)
	}
	select {
	case <-conn.Lost():
	case <-time.After(10 * time.Second):
		t.Error("the loss of the gateway is not told")
	}
}
