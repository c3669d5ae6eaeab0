// What TLS costs an operation by a relay, beside the same operation without.

//go:build bench

package meet_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"

	"nightjar/audit/privnet/lender"
	"nightjar/node/meet/relay"
)

const relayName = "relay.example"

// certificate makes one for the relay, and what believes it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{relayName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c)
	return &tls.Config{Certificates: []tls.Certificate{
		{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// TestFiguresOfHTTPS measures a miss by a relay over a path that takes 300 ms for a round trip,
// with TLS and without. The streams are there already.
func TestFiguresOfHTTPS(t *testing.T) {
	const far, tries = 300 * time.Millisecond, 11
	s, plain := place(t, 0)
	shows, roots := certificate(t)
	secure, err := lender.Secure(t.Context(), s.Addrs()[:8], shows)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(secure.Stop)
	measure := func(l *lender.Lender, roots *x509.CertPool) float64 {
		l.Delay(far)
		var took []time.Duration
		for range tries {
			link, err := l.Relay(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			at := time.Now()
			if roots != nil {
				link.Stream, err = relay.Secure(t.Context(), link.Stream, relayName, roots)
			}
			if err == nil {
				_, err = link.Get(t.Context(), secret())
			}
			if !errors.Is(err, relay.ErrNotFound) {
				t.Fatal(err)
			}
			took = append(took, time.Since(at))
			_ = link.Stream.Close()
		}
		return median(took)
	}
	bare := measure(plain, nil)
	with := measure(secure, roots)
	figure("relay_miss_p50", bare, "ms")
	figure("https_relay_miss_p50", with, "ms")
	figure("https_relay_rtts_more", (with-bare)/float64(far.Milliseconds()), "trips")
}
