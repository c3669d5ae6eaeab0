// Claims about the sockets of the door.

package sockets

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

func TestOnlyLoopbackIsBound(t *testing.T) {
	for _, at := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0",
		"10.0.0.1:5060", "169.254.1.1:0", "[::1]:5060"} {
		ap := netip.MustParseAddrPort(at)
		if _, err := (Loopback{}).Packet(ap); !errors.Is(err, ErrNotLoopback) {
			t.Errorf("packet at %s: %v", at, err)
		}
		if _, err := (Loopback{}).Stream(ap); !errors.Is(err, ErrNotLoopback) {
			t.Errorf("stream at %s: %v", at, err)
		}
	}
}

func TestErrorsNameNoAddress(t *testing.T) {
	c, err := Loopback{}.Packet(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	taken := netip.MustParseAddrPort(c.LocalAddr().String())
	_, err = Loopback{}.Packet(taken)
	if !errors.Is(err, syscall.EADDRINUSE) || strings.Contains(err.Error(), "127") {
		t.Fatalf("got %v", err)
	}
}

func TestSocketOfTheDoorCannotReachAnotherMachine(t *testing.T) {
	c, err := Loopback{}.Packet(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	to := netip.MustParseAddrPort("192.0.2.1:9") // documentation network, RFC 5737
	if _, err := c.WriteTo([]byte("x"), udp(to)); err == nil {
		t.Fatal("a datagram left a loopback socket for another machine")
	}
}

func udp(at netip.AddrPort) net.Addr { return net.UDPAddrFromAddrPort(at) }
