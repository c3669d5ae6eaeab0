// What contacts offer is shown only if it is what it should be.

package control

import (
	"slices"
	"strings"
	"testing"

	"nightjar/cmd/control/api"
	"nightjar/node"
)

func TestOfferThatIsNoBridgeLineIsNotShown(t *testing.T) {
	good := "obfs4 192.0.2.1:1 " + strings.Repeat("A", 40) + " cert=x iat-mode=0"
	offers := map[string]string{"desk": good}
	for name, line := range map[string]string{
		"a": "nonsense", "b": "Bridge " + good, "c": "obfs4 192.0.2.1:1", "d": good + " $(reboot)",
		"e": good + " ClientTransportPlugin=x exec /bin/sh", "f": "snowflake 192.0.2.1:1 a=\x1b[2J",
	} {
		offers[name] = line
	}
	got := Bridges(node.Entries{Offers: offers}).Offers
	if !slices.Equal(got, []api.BridgeOffer{{Contact: "desk", Line: good}}) {
		t.Errorf("%q", got)
	}
}
