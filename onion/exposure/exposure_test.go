// Every way out says what it shows to every party.

package exposure

import (
	"slices"
	"strings"
	"testing"
)

// silent lists the parties of which exposures say nothing.
func silent(all []Exposure) []string {
	var out []string
	for _, who := range []string{Contact, Network, Provider, DHT} {
		if !slices.ContainsFunc(all, func(e Exposure) bool { return e.Who == who }) {
			out = append(out, who)
		}
	}
	return out
}

func TestEveryWaySpeaksOfEveryParty(t *testing.T) {
	for _, w := range All() {
		all := Of(w)
		if who := silent(all); len(who) > 0 {
			t.Errorf("%v says nothing of %v", w, who)
		}
		said := map[string]bool{}
		for _, e := range all {
			if e.Who == "" || e.Learns == "" || e.Hidden == "" || said[e.Who] {
				t.Errorf("%v: %+v", w, e)
			}
			said[e.Who] = true
		}
	}
	if len(silent([]Exposure{{Who: Contact}})) != 3 {
		t.Error("a way that says nothing of three parties is not noticed")
	}
	if Of(0) != nil || Way(0).String() != "" {
		t.Error("what is no way out shows something")
	}
}

// row returns what a way shows to one party.
func row(t *testing.T, w Way, who string) Exposure {
	t.Helper()
	for _, e := range Of(w) {
		if e.Who == who {
			return e
		}
	}
	t.Fatalf("%v: nothing of %s", w, who)
	return Exposure{}
}

func TestOnlyDirectShowsTheAddressToContactsAndDHT(t *testing.T) {
	for _, w := range All() {
		for _, who := range []string{Contact, DHT} {
			shows := strings.HasPrefix(row(t, w, who).Learns, "your address")
			if shows != (w == Direct) {
				t.Errorf("%v shows the address to %s: %v", w, who, shows)
			}
		}
	}
}

func TestVPNHidesTorFromTheNetwork(t *testing.T) {
	for _, who := range []string{Network, Provider} {
		if !strings.Contains(row(t, Tor, who).Learns, "Tor") {
			t.Errorf("tor alone hides itself from %s", who)
		}
		if e := row(t, TorOverVPN, who); strings.Contains(e.Learns, "Tor") ||
			!strings.Contains(e.Hidden, "Tor") {
			t.Errorf("%s: %+v", who, e)
		}
	}
}
