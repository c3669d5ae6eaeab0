// Claims about cards.

package card

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func fullCard(t testing.TB) *Card {
	service := serviceID(newPerson(t, 9).address())
	return &Card{
		Address: newPerson(t, 1).address(), Name: "Newsdesk é", Inbox: [32]byte{1, 2, 3},
		Uses: 1, Expires: time.Date(2027, 1, 2, 3, 4, 0, 0, time.UTC),
		Doorbell: Gateway{service, 80},
		Gateways: []Gateway{{service, 6881}, {service, 1}},
		Nodes: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:6881"),
			netip.MustParseAddrPort("[2001:db8::1]:1")},
		Bridges: []string{"obfs4 192.0.2.7:443 0123456789ABCDEF cert=abc iat-mode=0"},
		Relays:  []string{"https://relay.example/path", "http://" + service + ".onion"},
	}
}

func encode(t testing.TB, c *Card) string {
	t.Helper()
	uri, err := c.Encode(newPerson(t, 1).sign)
	if err != nil {
		t.Fatal(err)
	}
	return uri
}

func TestCardIsWrittenAsItAlwaysWas(t *testing.T) {
	want, err := os.ReadFile("testdata/card.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := encode(t, fullCard(t)); got != strings.TrimSpace(string(want)) {
		t.Fatalf("got %s", got)
	}
}

func TestCardComesBackWhole(t *testing.T) {
	small := &Card{Address: newPerson(t, 1).address()}
	for _, c := range []*Card{fullCard(t), small} {
		uri := encode(t, c)
		for _, s := range []string{uri, strings.ToUpper(uri), uri[:30] + "\r\n  " + uri[30:] + "\n"} {
			got, err := Parse(s)
			if err != nil || !reflect.DeepEqual(got, c) {
				t.Fatalf("%v: got %+v", err, got)
			}
		}
	}
}

func TestOneCharacterWrongIsDamage(t *testing.T) {
	uri := encode(t, fullCard(t))
	for i := range uri {
		c := byte('a')
		if uri[i] == c {
			c = 'b'
		}
		if _, err := Parse(uri[:i] + string(c) + uri[i+1:]); !errors.Is(err, ErrCard) {
			t.Fatalf("character %d: %v", i, err)
		}
		if _, err := Parse(uri[:i]); !errors.Is(err, ErrCard) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

// forge makes a card text from any bytes, with a good checksum.
func forge(signed []byte) string {
	sum := sha256.Sum256(signed)
	return cardScheme + letters.EncodeToString(append(signed, sum[:sumSize]...))
}

func signedCard(t testing.TB, body any) string {
	b := append([]byte{cardVersion}, marshal(body)...)
	sig, _ := newPerson(t, 1).sign(append([]byte(cardDomain), b...))
	return forge(append(b, sig[:]...))
}

func TestCardFaultsAreToldApart(t *testing.T) {
	good, err := letters.DecodeString(strings.TrimPrefix(encode(t, fullCard(t)), cardScheme))
	if err != nil {
		t.Fatal(err)
	}
	good = good[:len(good)-sumSize]
	edit := func(i int, x byte) []byte { b := bytes.Clone(good); b[i] ^= x; return b }
	mallory := *fullCard(t)
	mallory.Address = newPerson(t, 2).address()
	body, _ := mallory.body()
	for name, c := range map[string]struct {
		uri  string
		want error
	}{
		"nothing":           {"", ErrCard},
		"another scheme":    {"bitcoin:abc", ErrCard},
		"no body":           {cardScheme, ErrCard},
		"newer version":     {forge(edit(0, 3)), ErrVersion},
		"another signature": {forge(edit(len(good)-1, 1)), ErrSignature},
		"another inbox":     {forge(edit(70, 1)), ErrSignature},
		"another owner":     {signedCard(t, body), ErrSignature},
		"too long":          {cardScheme + strings.Repeat("a", 3400), ErrSize},
		"far too long":      {cardScheme + strings.Repeat(" a", 1<<20), ErrSize},
	} {
		if _, err := Parse(c.uri); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCardRefusesWhatItCannotMean(t *testing.T) {
	id := serviceID(newPerson(t, 9).address())
	for name, spoil := range map[string]func(*Card){
		"long name":         func(c *Card) { c.Name = strings.Repeat("a", MaxName+1) },
		"escape in name":    func(c *Card) { c.Name = "a\x1b[2J" },
		"reversed name":     func(c *Card) { c.Name = "a\u202eb" },
		"broken UTF-8":      func(c *Card) { c.Name = "\xff" },
		"uses beyond count": func(c *Card) { c.Uses = 1 << 40 },
		"before 1970":       func(c *Card) { c.Expires = time.Unix(-1, 0) },
		"gateway, port 0":   func(c *Card) { c.Gateways[0].Port = 0 },
		"gateway, bad id":   func(c *Card) { c.Gateways[0].ID = "a" + id[1:] },
		"doorbell, no id":   func(c *Card) { c.Doorbell.ID = "" },
		"nine gateways":     func(c *Card) { c.Gateways = make([]Gateway, 9) },
		"node, port 0":      func(c *Card) { c.Nodes[0] = netip.AddrPortFrom(c.Nodes[0].Addr(), 0) },
		"node, none":        func(c *Card) { c.Nodes[0] = netip.AddrPort{} },
		"node, multicast":   func(c *Card) { c.Nodes[0] = netip.MustParseAddrPort("224.0.0.1:1") },
		"bridge, two lines": func(c *Card) { c.Bridges[0] = "a\nb" },
		"bridge, empty":     func(c *Card) { c.Bridges[0] = "" },
		"relay, clear text": func(c *Card) { c.Relays[0] = "http://relay.example" },
		"relay, user":       func(c *Card) { c.Relays[0] = "https://me@relay.example" },
		"more than fits": func(c *Card) {
			c.Bridges = []string{strings.Repeat("a", 1024), strings.Repeat("b", 1024)}
		},
	} {
		c := fullCard(t)
		spoil(c)
		if _, err := c.Encode(newPerson(t, 1).sign); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
	if _, err := fullCard(t).Encode(newPerson(t, 2).sign); !errors.Is(err, ErrSignature) {
		t.Errorf("signed by another: %v", err)
	}
}

func TestCardRefusesASecondWayToWriteIt(t *testing.T) {
	body, _ := fullCard(t).body()
	for name, b := range map[string]any{
		"unknown entry": map[int]any{1: body.Address[:], 3: body.Inbox[:], 11: 1},
		"short key":     map[int]any{1: body.Address[:31], 3: body.Inbox[:]},
		"empty name":    map[int]any{1: body.Address[:], 2: "", 3: body.Inbox[:]},
		"no inbox":      map[int]any{1: body.Address[:]},
		"a list":        []int{1, 2},
	} {
		if _, err := Parse(signedCard(t, b)); !errors.Is(err, ErrCard) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExpiryIsRoundedUpToTheMinute(t *testing.T) {
	c := fullCard(t)
	c.Expires = time.Date(2027, 1, 2, 3, 4, 0, 1, time.UTC)
	got, err := Parse(encode(t, c))
	if err != nil || got.Expires.Second() != 0 || got.Expires.Minute() != 5 {
		t.Fatalf("%v: %v", err, got.Expires)
	}
	never := new(Card)
	if got.Expired(got.Expires.Add(-1)) || !got.Expired(got.Expires) || never.Expired(time.Now()) {
		t.Fatal("expired at the wrong time")
	}
}

func FuzzParseCard(f *testing.F) {
	f.Add(encode(f, fullCard(f)))
	f.Add(encode(f, &Card{Address: newPerson(f, 1).address()}))
	f.Fuzz(func(t *testing.T, uri string) {
		c, err := Parse(uri)
		if err != nil {
			return
		}
		text := strings.ToLower(strings.Join(strings.Fields(uri), ""))
		b, _ := letters.DecodeString(strings.TrimPrefix(text, cardScheme))
		sig := [64]byte(b[len(b)-sumSize-64:])
		again, err := c.Encode(func([]byte) ([64]byte, error) { return sig, nil })
		if err != nil || again != text {
			t.Fatalf("%v: not what was parsed", err)
		}
	})
}

// FuzzCardBody reaches behind the signature, which random bytes do not.
func FuzzCardBody(f *testing.F) {
	body, _ := fullCard(f).body()
	f.Add(marshal(body))
	f.Fuzz(func(t *testing.T, b []byte) {
		var w cardBody
		if !unmarshal(b, &w) {
			return
		}
		c, err := w.card()
		if err != nil {
			return
		}
		again, err := c.body()
		if err != nil || !bytes.Equal(marshal(again), b) {
			t.Fatalf("%v: not what was parsed", err)
		}
	})
}
