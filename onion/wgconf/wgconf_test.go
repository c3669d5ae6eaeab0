// What files of VPN operators may hold, and what they may not.

package wgconf

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

const (
	keyA = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
	keyB = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
	keyC = "FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE="
)

const usual = `# from an operator
[Interface]
PrivateKey = ` + keyA + `
Address = 10.9.0.2/24, fd00::2/64
DNS = 10.9.0.1, corp.example   # a domain to search in
Table = off

[Peer]
PublicKey = ` + keyB + `
PresharedKey=` + keyC + `
AllowedIPs = 0.0.0.0/0
allowedips = ::/0
Endpoint = 192.0.2.1:51820
PersistentKeepalive = 25
`

func TestUsualFileIsRead(t *testing.T) {
	c, err := Parse([]byte(usual))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Addresses) != 2 || c.Addresses[0] != netip.MustParseAddr("10.9.0.2") ||
		len(c.Servers) != 1 || c.MTU != 1420 || c.Keepalive != 25 ||
		c.Endpoint != netip.MustParseAddrPort("192.0.2.1:51820") || len(c.Allowed) != 2 {
		t.Errorf("read %v %v %v %v %v", c.Addresses, c.Servers, c.MTU, c.Endpoint, c.Allowed)
	}
	var words string
	c.Set(func(w string) error { words = w; return nil })
	if !strings.HasPrefix(words, "private_key=c809f3e5317e9575c9b5ed78b638b7ce530dabe85dda") ||
		!strings.Contains(words, "\nallowed_ip=::/0\n") {
		t.Error("the words for the device are wrong")
	}
}

func TestEndpointIsThatOfTheWholeFileOrNone(t *testing.T) {
	to, err := Endpoint([]byte(usual))
	if err != nil || to != netip.MustParseAddrPort("192.0.2.1:51820") {
		t.Errorf("leads to %v, %v", to, err)
	}
	for _, file := range []string{change("Table = off", "PostUp = id"),
		change("192.0.2.1:51820", "vpn.example:51820"), "[Peer]\nEndpoint = 192.0.2.1:51820\n"} {
		if to, err := Endpoint([]byte(file)); err == nil || to.IsValid() {
			t.Errorf("a file that is no good leads to %v", to)
		}
	}
}

// change makes a variant of the usual file.
func change(old, new string) string { return strings.Replace(usual, old, new, 1) }

func TestFileIsRefusedWithItsReasonAndLine(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		line int
		err  error
	}{
		"PreUp":      {change("Table = off", "PreUp = id"), 6, ErrCommand},
		"PostUp":     {change("Table = off", "PostUp = curl x | sh"), 6, ErrCommand},
		"PreDown":    {change("Table = off", "predown=id"), 6, ErrCommand},
		"PostDown":   {change("Table = off", "PostDown = id"), 6, ErrCommand},
		"name":       {change("192.0.2.1:", "vpn.example.com:"), 13, ErrHostName},
		"zone":       {change("192.0.2.1:", "[fe80::1%eth0]:"), 13, ErrValue},
		"no port":    {change(":51820", ""), 13, ErrValue},
		"port 0":     {change(":51820", ":0"), 13, ErrValue},
		"unknown":    {change("Table = off", "Jc = 4"), 6, ErrUnknown},
		"section":    {change("[Peer]", "[Wing]"), 8, ErrUnknown},
		"no section": {"MTU = 1400\n", 1, ErrUnknown},
		"no value":   {change("Table = off", "Table"), 6, ErrUnknown},
		"twice":      {change("Table = off", "Table = off\nTable = off"), 7, ErrTwice},
		"two peers":  {usual + "[Peer]\nPublicKey = " + keyC + "\n", 15, ErrTwice},
		"short key":  {change(keyB, "AAAA"), 9, ErrValue},
		"zero key":   {change(keyB, strings.Repeat("A", 43)+"="), 9, ErrValue},
		"bent key":   {change(keyB, keyB[:42]+"h="), 9, ErrValue},
		"loopback":   {change("10.9.0.2/24", "127.0.0.1/8"), 4, ErrValue},
		"bad prefix": {change("0.0.0.0/0", "0.0.0.0/33"), 11, ErrValue},
		"control":    {change("Table = off", "Table = o\x01f"), 6, ErrValue},
		"small MTU":  {change("Table = off", "MTU = 100"), 6, ErrValue},
		"IPv6 MTU":   {change("Table = off", "MTU = 600"), 0, ErrValue},
		"no key":     {change("PrivateKey = "+keyA, ""), 0, ErrMissing},
		"no address": {change("Address = 10.9.0.2/24, fd00::2/64", ""), 0, ErrMissing},
		"no way":     {change("Endpoint = 192.0.2.1:51820", ""), 0, ErrMissing},
		"empty":      {"", 0, ErrMissing},
		"long":       {usual + strings.Repeat("#", MaxFile), 0, ErrValue},
	} {
		_, err := Parse([]byte(c.file))
		var at *Error
		if !errors.As(err, &at) || at.Line != c.line || !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want line %d: %v", name, err, c.line, c.err)
		}
	}
}

func TestErrorsHoldNothingOfTheFile(t *testing.T) {
	_, err := Parse([]byte(change("192.0.2.1:", "secret-host.example:")))
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error says %q", err)
	}
}

func show(verb string, what any) string { return fmt.Sprintf(verb, what) }

func TestKeysAreNeverPrinted(t *testing.T) {
	c, err := Parse([]byte(usual))
	if err != nil {
		t.Fatal(err)
	}
	key := fmt.Sprint(c.keys().private[:4]) // how bytes look when they are printed
	bytes := strings.Trim(key, "[]")
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%s", "%x", "%q"} {
		for _, what := range []any{c, *c, struct{ c *Config }{c}, struct{ c Config }{*c}} {
			got := show(verb, what)
			if strings.Contains(got, bytes) || strings.Contains(got, "c809f3") ||
				strings.Contains(got, "0xc8, 0x9") {
				t.Errorf("%s of %T shows a key", verb, what)
			}
		}
	}
	naive := struct{ keys *keys }{c.keys()} // a pointer alone does not hide
	if !strings.Contains(show("%s", naive), bytes) {
		t.Error("the test would not see a key")
	}
}

func TestWipedConfigHasNoKeys(t *testing.T) {
	c, err := Parse([]byte(usual))
	if err != nil {
		t.Fatal(err)
	}
	c.Wipe()
	if *c.keys() != (keys{}) {
		t.Error("keys are left")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(usual))
	f.Add([]byte(change("Table = off", "PostUp = id")))
	f.Add([]byte(change("192.0.2.1:", "[2001:db8::1]:")))
	f.Add([]byte("[Interface]\nAddress=::ffff:1.2.3.4\n[Peer]\nAllowedIPs=,\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := Parse(file)
		if err != nil {
			var at *Error
			if c != nil || !errors.As(err, &at) {
				t.Fatalf("%v", err)
			}
			return
		}
		written := c.Append(nil)
		d, err := Parse(written)
		if err != nil || !c.Equal(d) {
			t.Fatalf("what was read is not what is written: %v\n%s", err, written)
		}
		if !bytes.Equal(d.Append(nil), written) {
			t.Fatal("written differently the second time")
		}
		if len(c.Addresses) > maxAddresses || len(c.Allowed) > maxAllowed || c.MTU < lowestMTU {
			t.Fatal("out of bounds")
		}
	})
}
