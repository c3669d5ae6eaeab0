// A lender behind TLS, as a relay on a host is.

package lender

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"

	"nightjar/onion"
)

// Secure is Start for a gateway whose streams speak TLS: it shows what c says.
func Secure(ctx context.Context, nodes []netip.AddrPort, c *tls.Config) (*Lender, error) {
	network := onion.NewMemory()
	return Over(ctx, securePath{network.Path(), c}, network.Path(), nodes)
}

// securePath is a path whose services speak TLS.
type securePath struct {
	onion.Path
	shows *tls.Config
}

func (p securePath) Publish(ctx context.Context, s onion.Service) (onion.Listener, error) {
	l, err := p.Path.Publish(ctx, s)
	if err != nil {
		return nil, err
	}
	return secureListener{l, p.shows}, nil
}

type secureListener struct {
	onion.Listener
	shows *tls.Config
}

func (l secureListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(c, l.shows), nil
}
