// A proxy on this machine leads to its own ports, and to none that others have beside it.

package warden

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"nightjar/onion/exposure"
	"nightjar/onion/native"
)

// here opens a listener and a socket for datagrams on loopback, as a proxy with one relay has them.
func here(t *testing.T) (proxy, relay netip.AddrPort) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	u, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	at := netip.MustParseAddrPort
	return at(l.Addr().String()), at(u.LocalAddr().String())
}

func TestProxyOnThisMachineLeadsToItsOwnRelaysAlone(t *testing.T) {
	proxy, relay := here(t)
	if !relays(proxy, relay) {
		t.Error("the proxy's own relay is refused")
	}
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(proxy.Addr(), port) }
	for what, refused := range map[string][2]netip.AddrPort{
		"a name service":          {proxy, at(53)},
		"a relay without a proxy": {at(1), relay},
		"one of the system":       {proxy, netip.MustParseAddrPort("127.0.0.53:53")},
	} {
		if relays(refused[0], refused[1]) {
			t.Errorf("%s is the proxy's relay", what)
		}
	}
	o := &outside{way: Way{Kind: exposure.SOCKS, To: proxy}}
	f, err := o.socket(t.Context(), "udp", relay.String())
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if f, err := o.socket(t.Context(), "udp", at(53).String()); err == nil {
		f.Close()
		t.Error("an engine that goes by a proxy on loopback reaches the system's resolver")
	}
	naive := func(to netip.AddrPort) bool { return to.Addr() == proxy.Addr() && to.Port() != 0 }
	if !naive(at(53)) {
		t.Error("a warden that looks at the host alone is stopped too: this test proves nothing")
	}
	if !relays(netip.MustParseAddrPort("192.0.2.9:1080"), netip.MustParseAddrPort("192.0.2.9:5")) {
		t.Error("what another machine's ports are is asked of this one")
	}
}

func TestPortOfAnotherUserIsNoRelay(t *testing.T) {
	_, relay := here(t)
	mine := strconv.Itoa(os.Getuid())
	got := seen(tables("udp"), relay, "")
	if len(got) != 1 || got[0] != mine {
		t.Fatalf("the kernel's table names %q", got)
	}
	row := func(user string) string { // as the kernel prints 127.0.0.1:5353
		at := "0100007F"
		if !littleEndian() {
			at = "7F000001"
		}
		return " 1: " + at + ":14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000 " +
			user + " 0 77 2 0 0\n"
	}
	at := netip.MustParseAddrPort("127.0.0.1:5353")
	for table, want := range map[string]string{
		"":                         "",
		row("104"):                 "104",
		row("104") + row("104"):    "104",
		row("104") + row("1000"):   "1000 104",
		"head of a table\n 1: x:y": "",
		strings.Replace(row("1000"), ":14E9", ":14EA", 1): "",
	} {
		if got := strings.Join(owners(seen(table, at, "")), " "); got != want {
			t.Errorf("%q: %q", table, got)
		}
	}
	if len(seen(row("104"), at, listening)) > 0 {
		t.Error("what does not listen counts as the proxy")
	}
}

// A stream of device or direct could go to this machine by its own address.
func TestWayBySystemsSocketsHasNoStreams(t *testing.T) {
	var addrs []netip.Addr
	all, err := net.InterfaceAddrs()
	for _, a := range all {
		addrs = append(addrs, netip.MustParsePrefix(a.String()).Addr())
	}
	if err != nil || len(addrs) == 0 {
		t.Fatal("this machine has no address:", err)
	}
	for _, kind := range []exposure.Way{exposure.Device, exposure.Direct} {
		for _, a := range append(addrs, netip.MustParseAddr("198.51.100.1")) {
			if (Way{Kind: kind}).leads("tcp", netip.AddrPortFrom(a, 22)) {
				t.Errorf("%v: a stream to this machine itself", kind)
			}
		}
	}
	naive := func(a netip.Addr) bool { return !a.IsLoopback() } // an address of another, it thinks
	reached := false
	for _, a := range addrs {
		if !native.Own(a) {
			t.Error("an address of this machine counts as another's")
		}
		reached = reached || naive(a)
	}
	if native.Own(netip.MustParseAddr("198.51.100.1")) || len(addrs) > 2 && !reached {
		t.Error("what refuses loopback alone is enough: this test proves nothing")
	}
}
