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

// answering is a node that returns each query as a reply.
func answering(t *testing.T) netip.AddrPort {
	t.Helper()
	node, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IP{127, 0, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
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
	return netip.MustParseAddrPort(node.LocalAddr().String())
}

// lending is a gateway that knows one node.
func lending(t *testing.T, node netip.AddrPort) *onion.Gateway {
	t.Helper()
	g, err := onion.NewGateway(onion.GatewayConfig{Listen: "127.0.0.1:0", AllowPrivate: true,
		Accept: func(b []byte) bool { return bytes.HasPrefix(b, []byte("q")) },
		Reply:  func(b []byte) bool { return bytes.HasPrefix(b, []byte("r")) },
		Nodes:  func() []netip.AddrPort { return []netip.AddrPort{node} }})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// queries sends many queries through a gateway and checks each reply.
func queries(t *testing.T, conn *onion.PacketConn, node netip.AddrPort) {
	t.Helper()
	begun := time.Now()
	const many = 50
	for i := range byte(many) {
		conn.WriteTo([]byte{'q', i}, net.UDPAddrFromAddrPort(node))
	}
	b := make([]byte, 2000)
	for i := range byte(many) {
		n, from, err := conn.ReadFrom(b)
		if err != nil || !bytes.Equal(b[:n], []byte{'r', i}) || from.String() != node.String() {
			t.Fatalf("datagram %d: %q from %v, %v", i, b[:n], from, err)
		}
	}
	t.Logf("%d queries and replies in %v", many, time.Since(begun).Round(time.Millisecond))
}

func TestGatewayCarriesDatagramsThroughTor(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	node := answering(t)
	l, err := there.Publish(t.Context(), onion.Service{Port: 6881, Seed: [32]byte{6}})
	if err != nil {
		t.Fatal(err)
	}
	<-l.Published()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	g := lending(t, node)
	go func() { ended <- g.Serve(ctx, l) }()

	conn := onion.NewPacketConn(dial(t, here, onion.Remote{ID: l.ID(), Port: 6881}, ""))
	defer conn.Close()
	nodes, err := conn.Nodes(t.Context())
	if err != nil || len(nodes) != 1 || nodes[0] != node {
		t.Fatalf("nodes %v, %v", nodes, err)
	}
	queries(t, conn, node)
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
