// Claims about who may leave the network, and to where.

package onion

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

func TestOnlyHostsOfTheInternetAreDialledOutside(t *testing.T) {
	for host, want := range map[string]bool{
		"relay.example": true, "a.b-c.example": true, "xn--bcher-kva.example": true,
		"192.0.2.1": true, "2001:db8::1": true, "1.example": true,
		"": false, "localhost": false, "relay": false, "relay..example": false, ".example": false,
		"relay.example.": false, "a b.example": false, "a/b.example": false, "é.example": false,
		"fe80::1%lo": false, "x.onion": false, strings.Repeat("a", 56) + ".ONION": false,
		strings.Repeat("a", 64) + ".example": false, strings.Repeat("a.", 130) + "example": false,
		"a_b.example": false, "a\x00.example": false,
	} {
		if isHost(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
}

func TestNothingLeavesUnlessAllowed(t *testing.T) {
	var refused *Error
	tor := &Tor{}
	if _, err := tor.DialHost(t.Context(), "relay.example", 443, ""); !errors.As(err, &refused) ||
		!errors.Is(err, ErrNoExits) {
		t.Errorf("a tor that may not exit: %v", err)
	}
	m := NewMemory()
	p := m.Path().(Exit)
	if _, err := p.DialHost(t.Context(), "relay.example", 443, ""); !errors.Is(err, ErrNoExits) {
		t.Errorf("a path that may not exit: %v", err)
	}
	m.Host("relay.example", 443, func(c net.Conn) {
		_, _ = io.WriteString(c, "hello")
		_ = c.Close()
	})
	c, err := p.DialHost(t.Context(), "relay.example", 443, "")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); err != nil || string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := p.DialHost(t.Context(), "relay.example", 80, ""); !errors.Is(err, ErrNoService) {
		t.Errorf("another port: %v", err)
	}
}
