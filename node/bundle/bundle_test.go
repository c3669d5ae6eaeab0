// Claims about bundles.

package bundle

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"nightjar/node/card"
)

const service = "7ulsioc2uddvwzh3pdgwal5b3gi7327xnmj4ldwxalvmqnpj6yma3rqd"

func full() *Bundle {
	return &Bundle{
		Gateways: []card.Gateway{{ID: service, Port: 1}},
		Nodes: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:6881"),
			netip.MustParseAddrPort("[2001:db8::7]:6881")},
		Relays:  []string{"https://relay.example/pkarr"},
		Bridges: []string{"obfs4 192.0.2.9:443 0123 cert=x iat-mode=0"},
	}
}

func TestBundleSurvivesItsFile(t *testing.T) {
	text, err := full().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
		if got, err := Parse(s); err != nil || !reflect.DeepEqual(got, full()) {
			t.Fatalf("%+v: %v", got, err)
		}
	}
	if got, err := Parse("nightjar-bundle 1\nsum " + sum("nightjar-bundle 1\n") + "\n"); err != nil ||
		!reflect.DeepEqual(got, new(Bundle)) {
		t.Fatalf("an empty bundle: %v", err)
	}
}

func TestEverySlipIsNoticed(t *testing.T) {
	text, err := full().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		if _, err := Parse(text[:i] + "x" + text[i+1:]); err == nil && text[i] != 'x' {
			t.Fatalf("character %d can be changed", i)
		}
		if _, err := Parse(text[:i]); !errors.Is(err, ErrBundle) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

// sealed gives lines the right head and sum.
func sealed(head string, lines ...string) string {
	s := head + "\n" + strings.Join(append(lines, ""), "\n")
	return s + "sum " + sum(s) + "\n"
}

func TestBundleHoldsOnlyWhatItSays(t *testing.T) {
	for _, c := range []struct {
		text string
		want error
	}{
		{sealed("nightjar-bundle 2", "whatever"), ErrVersion},
		{sealed("nightjar-bundle 1", "exec rm"), ErrBundle},
		{sealed("nightjar-bundle 1", "node 192.0.2.7:0"), ErrBundle},
		{sealed("nightjar-bundle 1", "node 224.0.0.1:6881"), ErrBundle},
		{sealed("nightjar-bundle 1", "node host.example:6881"), ErrBundle},
		{sealed("nightjar-bundle 1", "node 192.0.2.7:6881", "node 192.0.2.7:6881"), ErrBundle},
		{sealed("nightjar-bundle 1", "relay http://relay.example/"), ErrBundle},
		{sealed("nightjar-bundle 1", "bridge obfs4\x1b[2J"), ErrBundle},
		{sealed("nightjar-bundle 1", "bridge b", "node 192.0.2.7:6881"), ErrBundle},
		{strings.Repeat("x", MaxSize+1), ErrSize},
	} {
		if _, err := Parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%.60q: %v", c.text, err)
		}
	}
	many := &Bundle{}
	for i := range 201 {
		ip := netip.AddrFrom4([4]byte{192, 0, byte(i), 1})
		many.Nodes = append(many.Nodes, netip.AddrPortFrom(ip, 6881))
	}
	if _, err := many.Encode(); !errors.Is(err, ErrSize) {
		t.Errorf("201 nodes: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	text, err := full().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(strings.Split(text, "sum ")[0])
	f.Fuzz(func(t *testing.T, s string) {
		s += "sum " + sum(s) + "\n" // or nothing would get past it
		b, err := Parse(s)
		if err != nil {
			return
		}
		if again, err := b.Encode(); err != nil || again != strings.ReplaceAll(s, "\r\n", "\n") {
			t.Errorf("%q became %q: %v", s, again, err)
		}
	})
}
