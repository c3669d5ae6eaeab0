// Claims about relays outside of the path.

package node

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"nightjar/node/book"
	"nightjar/node/meet/relay"
	"nightjar/onion"
)

// certified makes a certificate for a host, and what believes it.
func certified(t *testing.T, name string) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	roots.AddCert(c)
	return &tls.Config{Certificates: []tls.Certificate{
		{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// asking plays a relay by https that finds nothing, and notes the first line it is asked.
func asking(shows *tls.Config, asked chan<- string) func(net.Conn) {
	return func(c net.Conn) {
		s := tls.Server(c, shows)
		defer s.Close()
		line, err := bufio.NewReader(s).ReadString('\n')
		if err == nil {
			asked <- line
			_, _ = io.WriteString(s, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
		}
	}
}

// outsiders lists the hosts outside that a trip may ask.
func outsiders(t *trip) (out []string) {
	for _, w := range t.relays() {
		if w.outside {
			out = append(out, w.ID)
		}
	}
	return out
}

func TestRelayOutsideIsAskedIfTheUserAddedItAndThePathMayBeLeft(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		one, p := w.house(0)
		if err := p.AddRelay("https://relay.example/pkarr"); err != nil {
			t.Fatal(err)
		}
		_ = p.change(func(b *book.Book) error { // as if an old book had taken it from a card
			b.Lent = append(b.Lent, "https://lent.example/")
			return nil
		})
		if got := outsiders(one); len(got) != 0 {
			t.Fatalf("a path that may not be left: %q", got)
		}
		shows, roots := certified(t, "relay.example")
		asked := make(chan string, 4)
		w.net.Host("relay.example", 443, asking(shows, asked))
		w.net.Host("lent.example", 443, asking(shows, asked))
		p.roots = roots
		if got := outsiders(one); !slices.Equal(got, []string{"relay.example"}) {
			t.Fatalf("asked outside: %q", got)
		}
		one.used[one.gateways()[0].Gateway] = true
		before := w.net.Circuits()
		link, err := one.Relay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer link.Stream.Close()
		if _, err := link.Get(t.Context(), [32]byte{1}); !errors.Is(err, relay.ErrNotFound) {
			t.Errorf("it says %v", err)
		}
		if got := <-asked; got != "GET /pkarr/"+relay.Name([32]byte{1})+" HTTP/1.1\r\n" {
			t.Errorf("asked for %q", got)
		}
		if n := w.net.Circuits() - before; n != 1 {
			t.Errorf("%d circuits for one operation", n)
		}
	})
}

// An exit that stands in for the relay has no certificate of it, and hears no question.
func TestExitThatStandsInForTheRelayHearsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		one, p := w.house(0)
		if err := p.AddRelay("https://relay.example/"); err != nil {
			t.Fatal(err)
		}
		_, roots := certified(t, "relay.example")
		forged, believed := certified(t, "relay.example")
		asked := make(chan string, 4)
		w.net.Host("relay.example", 443, asking(forged, asked))
		try := func(believe *x509.CertPool) error {
			p.roots = believe
			way, _ := hostRelay("https://relay.example/")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c, err := one.leave(ctx, way)
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = (&relay.Link{Stream: c}).Get(ctx, [32]byte{1})
			return err
		}
		if err := try(roots); !errors.Is(err, relay.ErrUnproven) || len(asked) != 0 {
			t.Errorf("%v, and it hears %d questions", err, len(asked))
		}
		if err := try(believed); !errors.Is(err, relay.ErrNotFound) || len(asked) != 1 {
			t.Errorf("who believes it asks nothing either (%v): this test proves nothing", err)
		}
	})
}

func TestOnlyHostsByNameAreRelaysOutside(t *testing.T) {
	for url, want := range map[string]string{
		"https://relay.example": "relay.example 443 ", "https://Relay.Example:8443/a/": "relay.example" +
			" 8443 /a", "https://relay.example/": "relay.example 443 ",
		"http://relay.example": "", "https://192.0.2.1/": "", "https://[2001:db8::1]/": "",
		"https://" + string(make([]byte, 3)) + ".example": "", "https://relay.example:0/": "",
		"https://relay.example:99999/": "", "https://x.onion/": "", "https://x.ONION/": "",
		"wss://relay.example": "", "": "",
	} {
		w, ok := hostRelay(url)
		got := ""
		if ok {
			got = w.ID + " " + big.NewInt(int64(w.Port)).String() + " " + w.prefix
		}
		if got != want || ok && !w.outside {
			t.Errorf("%q: %q", url, got)
		}
	}
}

func TestRelaysOfOthersAreOffersOnce(t *testing.T) {
	b := &book.Book{Relays: []string{"https://known.example/"}}
	got := offered(b, []string{"https://new.example/", "https://known.example/",
		"http://" + someID + ".onion", "https://192.0.2.1/", "nonsense"})
	if !slices.Equal(got, []string{"https://new.example/"}) {
		t.Errorf("offered: %q", got)
	}
	var _ onion.Exit = new(onion.Tor)
}

const someID = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
