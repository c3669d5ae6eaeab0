// Claims about what is stray.

package watch

import (
	"net/netip"
	"testing"

	"nightjar/audit/watch/held"
)

func rules() Rules {
	return Rules{
		Pairs: []Pair{{"tor", "relay", TCP}, {"gateway", "world", UDP},
			{"world", "gateway", UDP}},
		Exits:   []Exit{{"vpn", UDP, at("192.0.2.200:51820"), ""}},
		Indoors: []string{"engine"}, Closed: []string{"tor"},
		Own: map[netip.Addr]string{at("127.0.0.77:0").Addr(): "gateway"},
	}
}

func TestOnlyWhatIsNamedIsFine(t *testing.T) {
	tor, relay, engine := Owner{Role: "tor"}, Owner{Role: "relay"}, Owner{Role: "engine"}
	gateway, world, vpn := Owner{Role: "gateway"}, Owner{Role: "world"}, Owner{Role: "vpn"}
	for _, c := range []struct {
		says string
		f    Flow
		want Verdict
	}{
		{"tor to its relay", Flow{Interface: "lo", Proto: TCP, To: at("127.0.0.2:9001"),
			Owner: tor, Peer: relay}, Fine},
		{"an engine to a relay", Flow{Interface: "lo", Proto: TCP, To: at("127.0.0.2:9001"),
			Owner: engine, Peer: relay}, Stray},
		{"tor to the relay by UDP", Flow{Interface: "lo", Proto: UDP, To: at("127.0.0.2:9001"),
			Owner: tor, Peer: relay}, Stray},
		{"nobody to a relay", Flow{Interface: "lo", Proto: TCP, To: at("127.0.0.2:9001"),
			Peer: relay}, Stray},
		{"tor to nobody", Flow{Interface: "lo", Proto: TCP, To: at("127.0.0.2:9001"),
			Owner: tor}, Stray},
		{"tor outside", Flow{Interface: "eth0", Proto: TCP, To: at("198.51.100.1:9001"),
			Owner: tor}, Stray},
		{"an engine to a DHT node", Flow{Interface: "lo", Proto: UDP, To: at("127.1.1.1:7000"),
			Owner: engine, Peer: world}, Stray},
		{"nobody, from an address of a role's own", Flow{Interface: "lo", Proto: UDP,
			From: at("127.0.0.77:4000"), To: at("127.1.1.1:7000")}, Fine},
		{"an engine, from that address", Flow{Interface: "lo", Proto: UDP, Owner: engine,
			From: at("127.0.0.77:4000"), To: at("127.1.1.1:7000")}, Stray},
		{"nobody, from that address to a resolver", Flow{Interface: "lo", Proto: UDP,
			From: at("127.0.0.77:4000"), To: at("127.0.0.53:53")}, Name},
		{"a node, to a role's own address where nobody is any more", Flow{Interface: "lo",
			Proto: UDP, Owner: world, To: at("127.0.0.77:4000")}, Fine},
		{"an engine, to that address", Flow{Interface: "lo", Proto: UDP, Owner: engine,
			To: at("127.0.0.77:4000")}, Stray},
		{"a gateway to a DHT node", Flow{Interface: "lo", Proto: UDP, To: at("127.1.1.1:7000"),
			Owner: gateway, Peer: world}, Fine},
		{"a resolver on loopback", Flow{Interface: "lo", Proto: UDP, To: at("127.0.0.53:53"),
			Owner: engine}, Name},
		{"a resolver outside", Flow{Interface: "eth0", Proto: UDP, To: at("192.0.2.53:53"),
			Owner: tor}, Name},
		{"a name asked of all around", Flow{Interface: "eth0", Proto: UDP,
			To: at("224.0.0.251:5353"), Owner: engine}, Name},
		{"the VPN to its endpoint", Flow{Interface: "eth0", Proto: UDP,
			To: at("192.0.2.200:51820"), Owner: vpn}, Fine},
		{"the VPN to another port", Flow{Interface: "eth0", Proto: UDP,
			To: at("192.0.2.200:51821"), Owner: vpn}, Stray},
		{"nobody to the VPN's endpoint", Flow{Interface: "eth0", Proto: UDP,
			To: at("192.0.2.200:51820")}, Stray},
	} {
		if got := rules().Judge(c.f); got != c.want {
			t.Errorf("%s: %s, want %s", c.says, got, c.want)
		}
	}
}

func TestKernelIsKnownByExactlyWhatItSays(t *testing.T) {
	engine := Owner{Role: "engine"}
	for _, c := range []struct {
		says string
		f    Flow
		want Verdict
	}{
		{"a kernel's reset", Flow{Interface: "lo", Proto: TCP, Type: flagRST,
			To: at("127.0.0.1:4000")}, Kernel},
		{"a reset outside", Flow{Interface: "eth0", Proto: TCP, Type: flagRST,
			To: at("198.51.100.1:4000")}, Stray},
		{"a kernel's listeners' report", Flow{Interface: "eth0", Proto: ICMPv6, Type: 143,
			Options: true, From: at("[fe80::1]:0"), To: at("[ff02::16]:0")}, Kernel},
		{"the same with an owner", Flow{Interface: "eth0", Proto: ICMPv6, Type: 143, Owner: engine,
			Options: true, From: at("[fe80::1]:0"), To: at("[ff02::16]:0")}, Stray},
		{"the same to somebody else", Flow{Interface: "eth0", Proto: ICMPv6, Type: 143,
			Options: true, From: at("[fe80::1]:0"), To: at("[2001:db8::1]:0")}, Stray},
		{"a router asked for", Flow{Interface: "eth0", Proto: ICMPv6, Type: 133,
			From: at("[fe80::1]:0"), To: at("[ff02::2]:0")}, Kernel},
	} {
		if got := rules().Judge(c.f); got != c.want {
			t.Errorf("%s: %s, want %s", c.says, got, c.want)
		}
	}
}

func TestDoorsAreOpenOnLoopbackAtMost(t *testing.T) {
	for _, c := range []struct {
		d    Door
		open bool
	}{
		{Door{Owner: Owner{Role: "engine"}, Proto: UDP, At: at("127.0.0.1:5060")}, false},
		{Door{Owner: Owner{Role: "engine"}, Proto: UDP, At: at("0.0.0.0:5060")}, true},
		{Door{Owner: Owner{Role: "engine"}, Proto: TCP, At: at("[::]:5060")}, true},
		{Door{Owner: Owner{Role: "engine"}, Raw: true, At: at("127.0.0.1:0")}, true},
		{Door{Owner: Owner{Role: "tor"}, Proto: UDP, At: at("127.0.0.1:5353")}, true},
		{Door{Owner: Owner{Role: "gateway"}, Proto: UDP, At: at("0.0.0.0:4000")}, false},
	} {
		if rules().Open(c.d) != c.open {
			t.Errorf("%+v", c.d)
		}
	}
}

func TestConnectedSocketFitsBetterThanOneForAll(t *testing.T) {
	all := []held.Socket{
		{Proto: UDP, Local: at("0.0.0.0:4000"), Remote: at("0.0.0.0:0"), Inode: 1},
		{Proto: UDP, Local: at("127.0.0.1:4000"), Remote: at("127.0.0.2:1"), Inode: 2},
		{Proto: UDP, Local: at("127.0.0.1:4000"), Remote: at("127.0.0.3:1"), Inode: 3},
	}
	for to, want := range map[string]uint64{"127.0.0.2:1": 2, "127.0.0.3:1": 3, "127.0.0.4:1": 1} {
		if s, ok := find(all, UDP, at("127.0.0.1:4000"), at(to)); !ok || s.Inode != want {
			t.Errorf("to %s: socket %d", to, s.Inode)
		}
	}
	if _, ok := find(all, TCP, at("127.0.0.1:4000"), at("127.0.0.2:1")); ok {
		t.Error("a TCP socket among those of UDP")
	}
}

func TestPortWhereOneIsRefusedInNoTimeIsKnownByWhoListens(t *testing.T) {
	engine, door := Owner{Role: "engine"}, at("127.0.0.1:4001")
	r := rules()
	r.Called = []string{"engine"}
	listens := r.With([]Door{{Owner: engine, Proto: TCP, At: door, Listen: true}})
	come := Flow{Interface: "lo", Proto: TCP, From: at("127.0.0.1:9"), To: door, Peer: engine}
	back := Flow{Interface: "lo", Proto: TCP, From: door, To: come.From, Owner: engine}
	other := come
	other.To = at("127.0.0.1:4002")
	known := come
	known.Owner = Owner{Role: "tor"}
	for _, c := range []struct {
		f    Flow
		want Verdict
	}{{come, Fine}, {back, Fine}, {other, Stray}, {known, Stray}} {
		if got := listens.Judge(c.f); got != c.want {
			t.Errorf("%+v: %s, want %s", c.f, got, c.want)
		}
		if got := r.Judge(c.f); got != Stray {
			t.Errorf("nobody listens: %+v: %s", c.f, got)
		}
	}
}
