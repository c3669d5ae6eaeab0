// The commands of gateways: running one, and using one.

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"

	"nightjar/cmd/control/api"
	"nightjar/keystore"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/meet/relay"
	"nightjar/onion"
	"nightjar/onion/lend"
)

// gatewayPort is the virtual port of a gateway's onion service.
const gatewayPort = 1

// Errors of the gateway command.
var (
	errNoNodes = errors.New("a gateway needs at least one DHT node to begin with")
	errNode    = errors.New("a DHT node is given as IP:PORT")
)

// A lender is what a gateway lends, and where its walks begin.
type lender struct {
	listen, listen6 *string
	private         *bool
	nodes           []netip.AddrPort
	dht             serving
}

func (o *options) lender() *lender {
	l := &lender{listen: o.set.String("listen", "", ""), listen6: o.set.String("listen6", "", ""),
		private: o.set.Bool("allow-private-addresses", false, "")}
	o.set.Func("serve-dht", "", l.dht.add)
	o.set.Func("node", "", func(s string) error {
		a, err := netip.ParseAddrPort(s)
		if err != nil || a.Addr().Is4In6() || a.Addr().Zone() != "" || a.Port() == 0 {
			return errNode
		}
		l.nodes = append(l.nodes, a)
		return nil
	})
	return l
}

// cmdGateway lends this machine's UDP to others until it is interrupted.
func cmdGateway(ctx context.Context, c console, args []string) error {
	o := newOptions("gateway")
	tor, l := o.torFlags(), o.lender()
	r := torAlone()
	r.change = o.set.Bool("change-path", false, "")
	sealed := o.set.Bool("require-seal", false, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	if len(l.nodes) == 0 {
		return errNoNodes
	}
	o.inherit(c)
	p, err := o.vaultPlace()
	if err != nil {
		return err
	}
	sockets := lends(*l.listen, *l.listen6)
	l.dht.sockets(sockets)
	done, err := o.guarded(ctx, c, "gateway", args, guard{place: p, tor: tor, route: r,
		open: sockets})
	if done || err != nil {
		return err
	}
	if err := c.checkSeal(*sealed); err != nil {
		return err
	}
	l.dht.prepare(*l.private, l.nodes)
	return o.withIdentity(ctx, c, api.RoleGateway, p, o.fromVault,
		func(ctx context.Context, s *session) error {
			if err := s.goes(r); err != nil {
				return err
			}
			return l.dht.beside(ctx, c, func(ctx context.Context) error {
				t, err := c.startTor(ctx, tor, s)
				if err != nil {
					return err
				}
				defer t.Close()
				return l.lend(ctx, c, o, s, t)
			})
		})
}

// lend serves whoever asks by tor, until ctx ends.
func (l *lender) lend(ctx context.Context, c console, o *options, s *session, t *onion.Tor) error {
	var g *onion.Gateway
	walks := relay.NewServer(func(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
		return g.Open(ctx)
	})
	g, err := onion.NewGateway(onion.GatewayConfig{Listen: *l.listen, Listen6: *l.listen6,
		AllowPrivate: *l.private, Socket: c.lent(lentSockets), Socket6: c.lent6(*l.listen6),
		Accept: meet.IsQuery, Reply: meet.IsReply, Relay: walks.Serve,
		Nodes: func() []netip.AddrPort {
			return slices.Concat(l.nodes, l.dht.known(), walks.Nodes())
		}})
	if err != nil {
		return err
	}
	return c.serveGateway(ctx, o, s.id, t, g)
}

// The names under which a gateway gets sockets from its warden.
const (
	lentSockets  = "lend"
	lentSockets6 = "lend6"
)

// lends has a warden open the sockets that a gateway lends: the only ones to the outside that any
// engine gets, and each is what one of the gateway's users asked for.
func lends(listen, listen6 string) map[string]func(context.Context) (*os.File, error) {
	at := func(listen string) func(context.Context) (*os.File, error) {
		return func(ctx context.Context) (*os.File, error) {
			c, err := lend.Socket(ctx, listen)
			if err != nil {
				return nil, err
			}
			defer c.Close()
			return c.File()
		}
	}
	open := map[string]func(context.Context) (*os.File, error){lentSockets: at(listen)}
	if listen6 != "" {
		open[lentSockets6] = at(listen6)
	}
	return open
}

// lent opens those sockets in the engine: nil if it does so itself.
func (c console) lent(name string) func(context.Context) (*net.UDPConn, error) {
	if c.ward == nil {
		return nil
	}
	return func(ctx context.Context) (*net.UDPConn, error) { return c.ward.Lent(ctx, name) }
}

// lent6 is as lent, for IPv6 if it is lent at all.
func (c console) lent6(listen6 string) func(context.Context) (*net.UDPConn, error) {
	if listen6 == "" {
		return nil
	}
	return c.lent(lentSockets6)
}

// serveGateway publishes the service and serves until ctx ends.
func (c console) serveGateway(ctx context.Context, o *options, id *keystore.Identity,
	t *onion.Tor, g *onion.Gateway) error {
	seed, err := id.Derive("nightjar gateway", nil)
	if err != nil {
		return err
	}
	l, err := t.Publish(ctx, onion.Service{Seed: seed, Port: gatewayPort})
	clear(seed[:])
	if err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return g.Serve(ctx, l) })
	work.Go(func() error {
		select {
		case <-l.Published():
		case <-ctx.Done():
			return nil
		}
		line := card.Gateway{ID: l.ID(), Port: gatewayPort}.String()
		if o.json {
			return c.json(api.GatewayRequest{Gateway: line})
		}
		_, err := fmt.Fprintf(c.out, "%s\nothers use it with: nightjar gateway add LINE\n", line)
		return err
	})
	work.Go(func() error {
		select {
		case <-t.Done():
			return onion.ErrTorDied
		case <-ctx.Done():
			return nil
		}
	})
	if err := work.Wait(); ctx.Err() == nil || errors.Is(err, onion.ErrTorDied) {
		return err
	}
	return nil
}

// cmdGatewayAdd gives the engine a gateway to use.
func cmdGatewayAdd(ctx context.Context, c console, args []string) error {
	o := newOptions("gateway add")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	return o.done(ctx, c, http.MethodPost, "/v1/gateways", api.GatewayRequest{Gateway: rest[0]},
		"it is used from now on, and the cards you show from now on carry it: nightjar card show")
}

// cmdGatewayRemove makes the engine forget a gateway.
func cmdGatewayRemove(ctx context.Context, c console, args []string) error {
	o := newOptions("gateway remove")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	path := "/v1/gateways/" + url.PathEscape(rest[0])
	return o.done(ctx, c, http.MethodDelete, path, nil, "it is used no more")
}

// cmdGatewayList lists the gateways in use.
func cmdGatewayList(ctx context.Context, c console, args []string) error {
	o := newOptions("gateway list")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	var lines []string
	if err := o.do(ctx, http.MethodGet, "/v1/gateways", nil, &lines); err != nil {
		return err
	}
	if o.json {
		return c.json(lines)
	}
	for _, l := range lines {
		fmt.Fprintln(c.out, l)
	}
	if len(lines) == 0 {
		c.line("no gateway is known; add one: nightjar gateway add LINE")
	}
	return nil
}
