// What people read about exposures is grammatical.

package exposure

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestWaysAreToldInTheWordsOfTheGoldenFile(t *testing.T) {
	var b strings.Builder
	for _, w := range All() {
		fmt.Fprintf(&b, "%v\n", w)
		for _, e := range Of(w) {
			fmt.Fprintf(&b, "  %v\n", e)
		}
	}
	want, err := os.ReadFile("testdata/sentences.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("testdata/sentences.txt should be, if it reads well:\n%s", got)
	}
}

func TestManyLearnAndOneLearns(t *testing.T) {
	for who, want := range map[string]string{
		"gateways": "learn", "gateways and DHT nodes": "learn",
		"directories of the Tor network": "learn", "relays on the circuit": "learn",
		"DHT nodes on the way": "learn", "the about eight DHT nodes that store it": "learn",
		"your network's DNS": "learns", "the gateway that carries it": "learns",
		"the guard or bridge": "learns", "this contact": "learns",
		"everybody who has the same cards": "learns", "whoever runs relays": "learns",
	} {
		if got := verb(who); got != want {
			t.Errorf("%s %s", who, got)
		}
	}
}

func TestOneThingIsNotPlural(t *testing.T) {
	for n, want := range map[int]string{0: "0 bridges", 1: "1 bridge", 2: "2 bridges"} {
		if got := Count(n, "bridge"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
