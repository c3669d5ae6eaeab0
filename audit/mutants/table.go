// The mutants: what other programs have done, and nightjar must never do.

package mutants

import "strings"

// once sends one datagram, as a line of Go.
func once(to string) string {
	network := "udp4"
	if strings.HasPrefix(to, "[") {
		network = "udp6"
	}
	return `if c, err := net.Dial("` + network + `", "` + to + `"); err == nil { ` +
		`_, _ = c.Write([]byte("hello")); defer c.Close() }` + "\n"
}

// Lines of the tree before which mutants stand.
const (
	upFile   = "cmd/nightjar/up.go"
	upLine   = "e.idle.unless(func() bool { return e.node.Status().Calls > 0 })"
	byeLine  = "e.farewell()\n\treturn errors.Join(err, stateErr)"
	sendFile = "node/messages.go"
	sendLine = "return b.Queue(contact, id, text, time.Now())"
	callFile = "node/calls.go"
	callLine = "l := n.linkTo(a)\n\tif l == nil"
	dialFile = "onion/dial.go"
	dialLine = "c, err := t.ask(ctx, proc, to, iso)"
	torFile  = "onion/torconf/torrc.go"
	torLine  = `"HeartbeatPeriod 0",`
)

// All is every mutant.
func All() []Mutant {
	out := append(append(starting(), talking()...), going()...)
	return append(out,
		Mutant{Name: "tor-dns-port", File: torFile, Line: torLine, Scene: "no-network",
			Put: "\"DNSPort 127.0.0.1:9053\",\n", Also: unchecked()},
		Mutant{Name: "tor-open-port", File: torFile, Line: torLine, Scene: "no-network",
			Put: "\"SocksPort 0.0.0.0:9050\",\n", Also: unchecked()},
		Mutant{Name: "tor-by-a-proxy", File: torFile, Line: torLine, Scene: "no-network",
			Put: "\"Socks5Proxy 198.51.100.50:1080\",\n"},
	)
}

// asking is an engine that asks its warden for a socket to an address that no way leads to.
const asking = `if e.ward != nil { to := netip.MustParseAddrPort("198.51.100.31:9"); ` +
	`if c, err := e.ward.Socket(ctx, "udp", to); err == nil { _, _ = c.Write([]byte("hello")) } }` +
	"\n"

// going are those that have to do with the way out that was chosen.
func going() []Mutant {
	return []Mutant{
		{Name: "warden-gives-all", File: upFile, Line: upLine, Put: asking, Import: "net/netip",
			Scene: "first-start", Keep: true, Also: []Mutant{{Name: "gives-all",
				File: "cmd/warden/way_linux.go",
				Line: "if err != nil || !o.way.leads(network, to) {", Put: "=if err != nil {"}}},
		{Name: "vpn-falls-back", File: "onion/ways/open.go", Scene: "vpn-dead",
			Line: "if err := w.openVPN(ctx, c); err != nil {\n\t\t\treturn err\n\t\t}\n" +
				"\t\tw.packets",
			Put: "=if err := w.openVPN(ctx, c); err != nil {\n" +
				"\t\t\td, err := native.OpenDirect(\"direct-reveals-my-address\")\n" +
				"\t\t\treturn w.take(d, err)\n\t\t}\n\t\tw.packets"},
		{Name: "vpn-beside", File: "onion/ways/open.go", Scene: "vpn-lost",
			Line: "w.packets = &packets{Carrier: w.VPN, way: exposure.VPN}",
			Put: "=d, err := native.OpenDirect(\"direct-reveals-my-address\")\n" +
				"\t\tif err != nil {\n\t\t\treturn err\n\t\t}\n" +
				"\t\tw.packets = &packets{Carrier: d, way: exposure.VPN}"},
		{Name: "relay-by-local-name", File: "node/relays.go", Scene: "exit-relays", Import: "net",
			Line: "stream, err := exit.DialHost(ctx, w.ID, w.Port, onion.NewIsolation())",
			Put:  "_, _ = net.LookupHost(w.ID)\n", Seal: true},
		{Name: "address-in-record", File: "node/road/services.go", Import: "net/netip",
			Test: "./node TestPathShowsNoAddress",
			Line: "return card.Reach{Service: service.ID(), Port: servicePort, " +
				"Auth: [32]byte(key.Bytes()),",
			Put: "=_ = key\n\treturn card.Reach{At: []netip.AddrPort{" +
				"netip.MustParseAddrPort(\"192.0.2.77:4000\")},"},
	}
}

// unchecked takes away the engine's own look at where its tor listens.
func unchecked() []Mutant {
	return []Mutant{{Name: "unchecked", File: "onion/torproc/start.go",
		Line: "return p.checkListeners()", Put: "=return nil"}}
}

// starting are those that show when an engine starts or ends.
func starting() []Mutant {
	at := func(name, put, imported string) Mutant {
		return Mutant{Name: name, File: upFile, Line: upLine, Put: put, Import: imported,
			Scene: "first-start", Seal: true}
	}
	end := at("crash-report", `if c, err := net.DialTimeout("tcp4", "198.51.100.40:443", 1e8);`+
		` err == nil { c.Close() }`+"\n", "net")
	end.Line = byeLine
	return []Mutant{
		at("update-ping", `go func() { _, _ = http.Get("http://198.51.100.20/latest") }()`+"\n",
			"net/http"),
		at("update-by-name", `go func() { _, _ = net.LookupHost("updates.leak.example") }()`+"\n",
			"net"),
		at("clock-question", once("198.51.100.123:123"), "net"),
		at("ipv6-datagram", once("[2001:db8:5::5]:443"), "net"),
		at("bootstrap-by-name", `go func() { _, _ = net.ResolveUDPAddr("udp", `+
			`"router.leak.example:6881") }()`+"\n", "net"),
		at("local-resolver", once("127.0.0.53:53"), "net"),
		at("mdns-announce", once("224.0.0.251:5353"), "net"),
		at("lan-announce", once("239.255.255.250:1900"), "net"),
		at("relay-directly", `go func() { if c, err := net.Dial("tcp4", "127.0.0.2:9001"); `+
			`err == nil { c.Close() } }()`+"\n", "net"),
		at("dht-directly", once("127.1.1.1:6881"), "net"),
		end,
	}
}

// talking are those that show when people write and call.
func talking() []Mutant {
	return []Mutant{
		{Name: "contact-lookup", File: sendFile, Line: sendLine, Import: "net", Scene: "message",
			Put:  `go func() { _, _ = net.LookupHost(contact + ".leak.example") }()` + "\n",
			Seal: true},
		{Name: "link-preview", File: sendFile, Line: sendLine, Import: "net/http strings",
			Scene: "message-link", Seal: true,
			Put: `if _, url, ok := strings.Cut(text, "https://"); ok { ` +
				`go func() { _, _ = http.Get("https://" + strings.Fields(url)[0]) }() }` + "\n"},
		{Name: "stun-in-calls", File: callFile, Line: callLine, Import: "net", Scene: "sdp-names",
			Put: once("198.51.100.7:3478"), Seal: true},
		{Name: "direct-dial", File: dialFile, Line: dialLine, Scene: "message",
			Put: `go func() { if c, err := net.Dial("tcp4", "198.51.100.30:443"); err == nil ` +
				`{ c.Close() } }()` + "\n", Seal: true},
		{Name: "open-sip-port", File: "sip/sockets/loopback.go", Scene: "message",
			Line: `c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))`,
			Put:  `=c, err := net.ListenUDP("udp4", &net.UDPAddr{Port: int(at.Port())})`},
	}
}
