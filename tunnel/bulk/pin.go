// QUIC wants certificates. Both sides make both certificates' keys out of the session, so each
// knows which key the other must show.

package bulk

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"time"

	"nightjar/tunnel/record"
)

// protocol is what TLS negotiates: QUIC wants a name.
const protocol = "nightjar"

// Secrets are those of the session that streams use, and nothing else does.
type Secrets struct{ Initiator, Responder Side }

// A Side is the secrets that one of the two has its name to; both know them.
type Side struct {
	Pin  [32]byte // seed of the key that it shows to QUIC
	Veil [32]byte // key of what it says by streams
}

// errPin: the far side of QUIC is not that of the session.
var errPin = errors.New("certificate is not the session's")

// pinned is the TLS side: own key shown, the far side's demanded.
func pinned(initiator bool, s *Secrets) (conf *tls.Config, err error) {
	record.Erasing(func() {
		mine, theirs := &s.Responder.Pin, &s.Initiator.Pin
		if initiator {
			mine, theirs = theirs, mine
		}
		own := ed25519.NewKeyFromSeed(mine[:])
		want := ed25519.NewKeyFromSeed(theirs[:]).Public().(ed25519.PublicKey)
		clear(mine[:])
		clear(theirs[:])
		var cert tls.Certificate
		if cert, err = certificate(own); err == nil {
			conf = demanding(cert, want)
		}
	})
	return conf, err
}

// demanding is the TLS side that shows cert and takes nobody but who has the key want.
func demanding(cert tls.Certificate, want ed25519.PublicKey) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{cert},
		InsecureSkipVerify:     true, // VerifyConnection asks for more than a name
		ClientAuth:             tls.RequireAnyClientCert,
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{protocol},
		CurvePreferences:       []tls.CurveID{tls.X25519}, // the session is hybrid already
		SessionTicketsDisabled: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) != 1 {
				return errPin
			}
			got, ok := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
			if !ok || !bytes.Equal(got, want) {
				return errPin
			}
			return nil
		},
	}
}

// certificate signs a key with itself; there is nothing in it but the key.
func certificate(k ed25519.PrivateKey) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Unix(1<<33, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k}, err
}
