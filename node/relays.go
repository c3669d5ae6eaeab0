// Relays that walk in the DHT for us: gateways, relays on onion services, and relays outside of the
// path that the user himself named.

package node

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet/relay"
	"nightjar/onion"
)

// Relay returns a link to a gateway that walks for us, or to a pkarr relay in the book.
func (t *trip) Relay(ctx context.Context) (*relay.Link, error) {
	l := new(relay.Link)
	err := t.through(ctx, t.relays(), func(ctx context.Context, w way) (err error) {
		l.Host, l.Prefix = w.host, w.prefix
		if w.outside {
			l.Stream, err = t.leave(ctx, w)
		} else {
			l.Stream, err = t.dial(ctx, w.Gateway)
		}
		return err
	})
	return l, err
}

// relays lists who can walk for us. Those outside of the path are asked only if the path may be
// left, and if the user added them: whoever names one on a card could run it, and exits as well.
func (t *trip) relays() []way {
	out := t.gateways()
	var given, lent []string
	t.node.look(func(b *book.Book) { given, lent = b.Relays, b.Lent })
	for _, s := range given {
		w, ok := onionRelay(s)
		if !ok && t.leaves() {
			w, ok = hostRelay(s)
		}
		if ok {
			out = append(out, w)
		}
	}
	for _, s := range lent {
		if w, ok := onionRelay(s); ok {
			out = append(out, w)
		}
	}
	return out
}

// leaves reports whether the path may be left.
func (c *carrier) leaves() bool {
	exit, ok := c.node.path.(onion.Exit)
	return ok && exit.Exits()
}

// leave opens a stream to a relay outside, on a circuit that nothing else uses, sealed so that the
// exit does not see what is asked.
func (c *carrier) leave(ctx context.Context, w way) (net.Conn, error) {
	exit, ok := c.node.path.(onion.Exit)
	if !ok {
		return nil, onion.ErrNoExits
	}
	stream, err := exit.DialHost(ctx, w.ID, w.Port, onion.NewIsolation())
	if err != nil {
		return nil, err
	}
	return relay.Secure(ctx, stream, w.ID, c.node.roots)
}

// onionRelay reads the URL of a relay on an onion service.
func onionRelay(s string) (way, bool) {
	w, ok := parseRelay(s, "http", 80)
	w.ID, _ = strings.CutSuffix(w.ID, ".onion")
	_, bad := card.ParseGateway(w.Gateway.String())
	return w, ok && bad == nil
}

// hostRelay reads the URL of a relay that is no onion service. A relay by its address is none: what
// proves it to us would be rare, and show.
func hostRelay(s string) (way, bool) {
	w, ok := parseRelay(s, "https", 443)
	w.outside = true
	_, address := netip.ParseAddr(w.ID)
	return w, ok && address != nil && !strings.HasSuffix(w.ID, ".onion")
}

// parseRelay reads a relay's URL, whose ID is its host name in lower case.
func parseRelay(s, scheme string, port uint64) (way, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != scheme {
		return way{}, false
	}
	if p := u.Port(); p != "" {
		port, err = strconv.ParseUint(p, 10, 16)
	}
	g := card.Gateway{ID: strings.ToLower(u.Hostname()), Port: uint16(port)}
	return way{Gateway: g, host: u.Host, prefix: strings.TrimRight(u.EscapedPath(), "/")},
		err == nil && port != 0
}

// offered returns the relays of a card or bundle that are used only if the user adds them: those
// outside of the path that the book does not have.
func offered(b *book.Book, urls []string) []string {
	return fresh(urls, func(s string) bool {
		_, host := hostRelay(s)
		for _, have := range b.Relays {
			host = host && have != s
		}
		return host
	})
}
