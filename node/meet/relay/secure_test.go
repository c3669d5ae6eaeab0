// Claims about whom an https relay can be.

package relay

import (
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
	"strings"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	key   *ecdsa.PrivateKey
	cert  *x509.Certificate
	roots *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{roots: x509.NewCertPool()}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, key := a.sign(t, template)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.key = key
	a.roots.AddCert(a.cert)
	return a
}

// sign makes a key and a certificate for it; the first signs itself.
func (a *authority) sign(t *testing.T, template *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

// server is what a host of that name shows, for the hours from now.
func (a *authority) server(t *testing.T, name string, from, to time.Duration) *tls.Config {
	t.Helper()
	der, key := a.sign(t, &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to)})
	return &tls.Config{Certificates: []tls.Certificate{
		{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// knock lets a client that trusts roots speak to a host that shows what c says.
func knock(t *testing.T, c *tls.Config, roots *x509.CertPool) (net.Conn, error) {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	go func() {
		s := tls.Server(far, c)
		if s.Handshake() == nil {
			_, _ = s.Read(make([]byte, 4096))
			_, _ = io.WriteString(s, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
		}
		_ = far.Close()
	}()
	return Secure(t.Context(), near, "relay.example", roots)
}

func TestOnlyTheNamedHostIsSpokenTo(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	old := a.server(t, "relay.example", -time.Hour, time.Hour)
	old.MaxVersion = tls.VersionTLS12
	for what, c := range map[string]struct {
		shows *tls.Config
		want  error
	}{
		"the host":              {a.server(t, "relay.example", -time.Hour, time.Hour), nil},
		"another host":          {a.server(t, "other.example", -time.Hour, time.Hour), ErrUnproven},
		"signed by a stranger":  {other.server(t, "relay.example", -1, time.Hour), ErrUnproven},
		"expired":               {a.server(t, "relay.example", -2*time.Hour, -time.Hour), ErrUnproven},
		"an old version of TLS": {old, ErrRelay},
	} {
		conn, err := knock(t, c.shows, a.roots)
		if !errors.Is(err, c.want) || (conn == nil) != (err != nil) {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && strings.Contains(err.Error(), "example") {
			t.Errorf("%s: the error tells whom: %v", what, err)
		}
		if conn == nil {
			continue
		}
		l := &Link{Stream: conn, Host: "relay.example"}
		if _, err := l.Get(t.Context(), [32]byte{1}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: asked: %v", what, err)
		}
	}
}

// Whoever stands between, an exit of tor above all, has no certificate of the host. A client that
// does not look at it would tell him which slots are asked for.
func TestWhoStandsBetweenHearsNothing(t *testing.T) {
	a, exit := newAuthority(t), newAuthority(t)
	heard := func(check bool) (said int) {
		near, far := net.Pipe()
		done := make(chan int)
		go func() {
			s := tls.Server(far, exit.server(t, "relay.example", -time.Hour, time.Hour))
			n, _ := s.Read(make([]byte, 4096))
			_ = far.Close()
			done <- n
		}()
		var c net.Conn
		if check {
			c, _ = Secure(t.Context(), near, "relay.example", a.roots)
		} else {
			c = tls.Client(near, &tls.Config{InsecureSkipVerify: true})
		}
		if c != nil {
			_, _ = (&Link{Stream: c, Host: "relay.example"}).Get(t.Context(), [32]byte{1})
		}
		_ = near.Close()
		return <-done
	}
	if n := heard(true); n != 0 {
		t.Errorf("he hears %d bytes", n)
	}
	if heard(false) == 0 {
		t.Error("the naive client tells him nothing either: this test proves nothing")
	}
}

func TestSilentHostIsGivenUp(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Secure(ctx, near, "relay.example", x509.NewCertPool()); !errors.Is(err,
		context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err := near.Write([]byte{1}); err == nil {
		t.Error("the stream is still open")
	}
}
