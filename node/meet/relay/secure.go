// TLS to relays that are no onion services: such a service proves by its name who it is, a host
// needs a certificate.

package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
)

// Secure makes a stream to the named host one that only that host can read, by TLS 1.3 (RFC 8446).
// Roots nil means those of the system. It keeps nothing that would show a relay that the same
// client has come again: no session is resumed, and no certificate of ours is sent. It returns
// ErrUnproven when the host does not prove its name, ErrRelay when it does not speak TLS, or the
// error of ctx; the stream is then closed.
func Secure(ctx context.Context, stream net.Conn, host string, roots *x509.CertPool) (
	net.Conn, error) {
	c := tls.Client(stream, &tls.Config{ServerName: host, RootCAs: roots,
		MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}})
	err := c.HandshakeContext(ctx)
	if err == nil {
		return c, nil
	}
	_ = stream.Close()
	switch unproven := new(tls.CertificateVerificationError); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &unproven):
		return nil, ErrUnproven // its own text holds names
	}
	return nil, ErrRelay
}
