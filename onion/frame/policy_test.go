// A gateway is no way into its own network.

package frame

import (
	"net/netip"
	"testing"
)

// inside are addresses that a stranger would like to reach through a gateway, and must not.
var inside = []string{
	"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1",
	"127.255.255.255", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8",
	"192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255", "192.88.99.1",
	"::1", "fd00::1", "2001:db8::1", "2001::1", "2002:a00:1::1", "64:ff9b::a00:1", "3fff::1",
}

// nobody are addresses that are not one host; not even a private gateway sends there.
var nobody = []string{"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "240.0.0.1",
	"255.255.255.255", "::", "ff02::1", "ff0e::1", "fe80::1", "fe80::1%a"}

func to(ip string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(ip), port)
}

func TestGatewayIsNoWayIn(t *testing.T) {
	naive := func(node netip.AddrPort) bool { return node.IsValid() } // sends wherever it is told
	for _, ip := range inside {
		if MaySend(to(ip, 6881), false) {
			t.Errorf("would send to %s", ip)
		}
		if !naive(to(ip, 6881)) {
			t.Errorf("the naive rule stops %s: this test proves nothing", ip)
		}
		if !MaySend(to(ip, 6881), true) {
			t.Errorf("a private gateway would not send to %s", ip)
		}
	}
	for _, ip := range nobody {
		if MaySend(to(ip, 6881), false) || MaySend(to(ip, 6881), true) {
			t.Errorf("would send to %s", ip)
		}
	}
}

func TestGatewayTroublesNoSystemService(t *testing.T) {
	for _, port := range []uint16{0, 53, 123, 161, 1023} {
		if MaySend(to("9.9.9.9", port), false) || MaySend(to("127.0.0.1", port), true) {
			t.Errorf("would send to port %d", port)
		}
	}
}

func TestGatewaySendsToTheInternet(t *testing.T) {
	for _, ip := range []string{"1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1",
		"172.32.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2a00::1",
		"2001:200::1", "2600::1", "3ffe::1"} {
		if !MaySend(to(ip, 6881), false) || !Public(netip.MustParseAddr(ip)) {
			t.Errorf("would not send to %s", ip)
		}
	}
}

func TestAddressesInDisguiseAreRefused(t *testing.T) {
	for _, ip := range []string{"::ffff:10.0.0.1", "::ffff:1.1.1.1", "2a00::1%a"} {
		if MaySend(to(ip, 6881), false) || MaySend(to(ip, 6881), true) {
			t.Errorf("would send to %s", ip)
		}
	}
}
