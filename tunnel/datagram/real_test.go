// Sessions over real sockets, where rows cross the kernel whole.

package datagram

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"testing"

	"nightjar/tunnel"
	"nightjar/tunnel/proof"
)

// overUDP is a session over loopback sockets.
func overUDP(t *testing.T, network, host string) (a, b *Conn) {
	aKey, bKey := proof.NewKey(t), proof.NewKey(t)
	var root, psk [32]byte
	rand.Read(root[:])
	pa := tunnel.Peer{Static: aKey.AgreementKey(), Root: root, PSK: psk}
	pb := tunnel.Peer{Static: bKey.AgreementKey(), Root: root, PSK: psk}
	socket := func() (net.PacketConn, netip.AddrPort) {
		c, err := net.ListenUDP(network, &net.UDPAddr{IP: net.ParseIP(host)})
		if err != nil {
			t.Fatal(err)
		}
		return c, c.LocalAddr().(*net.UDPAddr).AddrPort()
	}
	ca, _ := socket()
	cb, at := socket()
	ea := New(ca, aKey, func() []tunnel.Peer { return []tunnel.Peer{pb} })
	eb := New(cb, bKey, func() []tunnel.Peer { return []tunnel.Peer{pa} })
	t.Cleanup(func() { ea.Close(); eb.Close() })
	a, err := ea.Dial(t.Context(), pb, at)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = eb.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestRowsCrossRealSockets(t *testing.T) {
	a, b := overUDP(t, "udp4", "127.0.0.1")
	for _, size := range []int{1, 200, 480, 1200} {
		for n := range 50 {
			var row [][]byte
			for i := range 64 {
				row = append(row, bytes.Repeat([]byte{byte(n + i)}, size))
			}
			if err := a.SendDatagrams(row); err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(row); {
				r, err := b.ReceiveRow(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range r.Datagrams {
					if !bytes.Equal(d, row[i]) {
						t.Fatal("a datagram came as another")
					}
					i++
				}
				r.Release()
			}
		}
	}
}

func TestStreamsCrossRealSockets(t *testing.T) {
	a, b := overUDP(t, "udp6", "::1")
	want := bytes.Repeat([]byte("bulk"), 1<<20)
	go func() {
		s, err := a.OpenStream(context.Background())
		if err != nil {
			t.Error(err)
			return
		}
		s.Write(want)
		s.Close()
	}()
	s, err := b.AcceptStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, want) {
		t.Error(len(got), err)
	}
}
