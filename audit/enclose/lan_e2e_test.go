// A local network in a namespace: who tells of itself is heard, and nobody outside is asked.

//go:build e2e

package enclose_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"nightjar/audit/enclose"
	"nightjar/node/meet/lan"
	sockets "nightjar/onion/lan"
)

const within = "-test.run=TestInsideALocalNetwork"

// insideMark is the argument that tells the run in the namespace from the others.
const insideMark = "inside"

func TestProgramsOfALocalNetworkAreHeard(t *testing.T) {
	code, err := enclose.Again(t.Context(), within, "-test.v", "-test.count=1", insideMark)
	if err != nil {
		t.Fatalf("%v (packages mount and iproute2)", err)
	}
	if code != 0 {
		t.Fatalf("inside: exit code %d", code)
	}
}

// neighbour is a BitTorrent program at an address of the local network: it tells of itself, and
// answers what its DHT node is asked with nodes of its choice.
func neighbour(t *testing.T, ip string, nodes []netip.AddrPort) {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip), Port: 6881})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	var body strings.Builder
	for _, n := range nodes {
		body.WriteString("abcdefghij0123456789" + string(n.Addr().AsSlice()) +
			string([]byte{byte(n.Port() >> 8), byte(n.Port())}))
	}
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, tid, _ := strings.Cut(string(b[:n]), "1:t4:")
			answer := fmt.Appendf(nil, "d1:rd2:id20:abcdefghij01234567895:nodes%d:%se1:t4:%s1:y1:re",
				body.Len(), body.String(), tid[:4])
			_, _ = c.WriteToUDPAddrPort(answer, from)
		}
	}()
	told := "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n" +
		"Infohash: 0123456789012345678901234567890123456789\r\n\r\n\r\n"
	group := &net.UDPAddr{IP: net.IPv4(239, 192, 152, 143), Port: 6771}
	if _, err := c.WriteTo([]byte(told), group); err != nil {
		t.Fatal(err)
	}
}

func TestInsideALocalNetwork(t *testing.T) {
	if !slices.Contains(os.Args, insideMark) {
		return // TestProgramsOfALocalNetworkAreHeard runs it
	}
	if _, err := sockets.Hear(); !errors.Is(err, sockets.ErrNoLAN) {
		t.Errorf("without a network: %v", err)
	}
	for _, line := range []string{"link set lo multicast on", "addr add 10.7.0.1/16 dev lo",
		"addr add 10.7.0.2/16 dev lo", "route add 239.0.0.0/8 dev lo src 10.7.0.1"} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	hear, err := sockets.Hear()
	if err != nil {
		t.Fatal(err)
	}
	ask, err := sockets.Ask(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, far := range []string{"1.2.3.4", "127.0.0.1", "239.192.152.143"} {
		to := &net.UDPAddr{IP: net.ParseIP(far), Port: 6881}
		if _, err := ask.WriteTo([]byte("x"), to); !errors.Is(err, sockets.ErrFar) {
			t.Errorf("it sends to %s: %v", far, err)
		}
	}
	neighbour(t, "10.7.0.2", []netip.AddrPort{netip.MustParseAddrPort("1.2.3.4:6881"),
		netip.MustParseAddrPort("10.7.0.9:6881")})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	s := &lan.Search{Hear: hear, Ask: ask,
		Public: func(a netip.AddrPort) bool { return !a.Addr().IsPrivate() }}
	heard, nodes := s.Run(ctx)
	if heard != 1 || len(nodes) != 1 || nodes[0].String() != "1.2.3.4:6881" {
		t.Errorf("%d heard, found %v", heard, nodes)
	}
}
