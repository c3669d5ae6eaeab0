// Nothing of a tor behind a VPN goes beside it, and what it shows is said on both of its ways.

package ways

import (
	"errors"
	"net"
	"slices"
	"testing"

	"nightjar/onion"
	"nightjar/onion/bridge"
	"nightjar/onion/exposure"
)

const print = "224FAB4B7EA0824D204A58D91932114FB33A3AA2"

func TestNoTransportLooksUpNamesBesideTheVPN(t *testing.T) {
	a := &tally{give: func() (net.Conn, error) { return nil, net.ErrClosed }}
	naive := 0
	for line, refused := range map[string]bool{
		"": false, "192.0.2.1:443 " + print: false,
		"obfs4 192.0.2.1:9443 " + print + " cert=U+EP/xC iat-mode=0":                  false,
		"snowflake 192.0.2.3:80 " + print + " url=https://broker.example/":            true,
		"webtunnel [2001:db8::2]:443 " + print + " url=https://site.example/secret":   true,
		"meek_lite 192.0.2.20:80 " + print + " url=https://meek.example front=a.test": true,
	} {
		for _, tor := range []onion.TorConfig{{Ways: []string{"", line}},
			{Options: []string{"UseBridges 1", "Bridge " + line}}} {
			asked := len(a.asked)
			_, err := Open(t.Context(), Choice{Way: exposure.TorOverVPN, Of: "x"},
				Config{File: []byte(file), Socket: a.socket, Tor: tor})
			if errors.Is(err, ErrBridge) != refused || refused != (len(a.asked) == asked) {
				t.Errorf("%q: %v; asked for %q", line, err, a.asked[asked:])
			}
		}
		if l, err := bridge.Parse(line); err == nil && l.LooksUp() {
			naive++ // what opens every bridge would hand it to tor
		}
	}
	if naive != 3 {
		t.Errorf("of these %d look up names: this test proves nothing", naive)
	}
}

func TestBothWaysOfTorSayWhatTheTorShows(t *testing.T) {
	extra := onion.Exposure{Who: "exits of the Tor network", Learns: "a", Hidden: "b"}
	tor := append(exposure.Of(exposure.Tor), extra)
	for _, way := range []exposure.Way{exposure.Tor, exposure.TorOverVPN} {
		got := beside(Choice{Way: way}, tor)
		want := append(exposure.Of(way), extra)
		if !slices.Equal(got, want) {
			t.Errorf("%v shows %v", way, got)
		}
		if slices.Contains(exposure.Of(way), extra) {
			t.Error("the kind of way says it too: this test proves nothing")
		}
	}
}
