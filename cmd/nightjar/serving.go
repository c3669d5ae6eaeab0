// A gateway that also serves the DHT.

package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"

	"nightjar/node/meet/serve"
	"nightjar/onion/frame"
	"nightjar/onion/lend"
)

// errServe is a wrong --serve-dht.
var errServe = errors.New("--serve-dht needs an address of this machine: IP:PORT, " +
	"at most one of a kind")

// serving is what a gateway serves the DHT at.
type serving struct {
	at      []netip.AddrPort
	servers []*serve.Server
}

// add takes in one --serve-dht.
func (s *serving) add(text string) error {
	a, err := netip.ParseAddrPort(text)
	same := func(b netip.AddrPort) bool { return b.Addr().Is6() == a.Addr().Is6() }
	if err != nil || a.Addr().Is4In6() || a.Port() == 0 || slices.ContainsFunc(s.at, same) {
		return errServe
	}
	s.at = append(s.at, a)
	return nil
}

// sockets adds those that a warden opens for it.
func (s *serving) sockets(open map[string]func(context.Context) (*os.File, error)) {
	for _, a := range s.at {
		open["serve "+a.String()] = func(ctx context.Context) (*os.File, error) {
			c, err := lend.ServingSocket(ctx, a)
			if err != nil {
				return nil, err
			}
			defer c.Close()
			return c.File()
		}
	}
}

// known are some nodes that answered lately.
func (s *serving) known() (out []netip.AddrPort) {
	for _, n := range s.servers {
		out = append(out, n.Known(frame.MaxNodes)...)
	}
	return out
}

// beside serves while f runs, and ends with it.
func (s *serving) beside(ctx context.Context, c console, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work, within := errgroup.WithContext(ctx)
	for i, a := range s.at {
		var conn *net.UDPConn
		var err error
		if c.ward != nil {
			conn, err = c.ward.Lent(ctx, "serve "+a.String())
		} else {
			conn, err = lend.ServingSocket(ctx, a)
		}
		if err != nil {
			cancel()
			_ = work.Wait() // of those before
			return err
		}
		work.Go(func() error {
			err := s.servers[i].Run(within, conn, a.Addr().Is6())
			if ctx.Err() != nil {
				return nil
			}
			return err
		})
	}
	work.Go(func() error {
		defer cancel()
		return f(within)
	})
	return work.Wait()
}

// prepare makes the servers, which run in beside and begin with the nodes.
func (s *serving) prepare(private bool, nodes []netip.AddrPort) {
	for range s.at {
		s.servers = append(s.servers, &serve.Server{
			Nodes:   func() []netip.AddrPort { return nodes },
			Allowed: func(a netip.AddrPort) bool { return frame.MaySend(a, private) }})
	}
}
