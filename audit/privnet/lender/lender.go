// Package lender runs one gateway of the real kind and counts what it carries. It is reached over a
// path in memory, for measurements that are about the DHT and not about tor, or over any other.
package lender

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"nightjar/node/meet"
	"nightjar/node/meet/relay"
	"nightjar/onion"
)

// Lender is a running gateway and the way to it. It is a meet.Carrier and a meet.Trip.
type Lender struct {
	path    onion.Path
	service onion.Remote
	nodes   []netip.AddrPort
	bytes   atomic.Int64
	delay   time.Duration // of the path, one way
	stop    context.CancelFunc
	ended   chan struct{}
}

// Start runs a gateway that hands out the nodes, and reaches it over a path in memory.
func Start(ctx context.Context, nodes []netip.AddrPort) (*Lender, error) {
	network := onion.NewMemory()
	return Over(ctx, network.Path(), network.Path(), nodes)
}

// Over runs a gateway on a path of its own, theirs, and reaches it over ours. Stop closes both.
func Over(ctx context.Context, theirs, ours onion.Path, nodes []netip.AddrPort) (*Lender, error) {
	return over(ctx, theirs, ours, nodes, "")
}

// Start6 runs a gateway that lends IPv6 as well, at an address with port 0; "" is none.
func Start6(ctx context.Context, nodes []netip.AddrPort, listen6 string) (*Lender, error) {
	network := onion.NewMemory()
	return over(ctx, network.Path(), network.Path(), nodes, listen6)
}

func over(ctx context.Context, theirs, ours onion.Path, nodes []netip.AddrPort,
	listen6 string) (*Lender, error) {
	var g *onion.Gateway
	server := relay.NewServer(func(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
		return g.Open(ctx)
	})
	g, err := onion.NewGateway(onion.GatewayConfig{Listen: "127.0.0.1:0",
		Listen6: listen6, AllowPrivate: true,
		Accept: meet.IsQuery, Reply: meet.IsReply, Relay: server.Serve,
		Nodes: func() []netip.AddrPort { return nodes }})
	if err != nil {
		return nil, err
	}
	listener, err := theirs.Publish(ctx, onion.Service{Seed: [32]byte{1}, Port: 1})
	if err != nil {
		return nil, err
	}
	select {
	case <-listener.Published():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	run, stop := context.WithCancel(context.Background())
	l := &Lender{path: ours, nodes: nodes, stop: stop, ended: make(chan struct{}),
		service: onion.Remote{ID: listener.ID(), Port: 1}}
	go func() {
		defer close(l.ended)
		_ = g.Serve(run, listener)
		_ = theirs.Close()
	}()
	return l, nil
}

// Delay makes the path take so long for a round trip; at first it takes no time. Fixed once the
// lender is in use.
func (l *Lender) Delay(trip time.Duration) { l.delay = trip / 2 }

// dial opens a stream to the gateway. It is there at once: what building a circuit costs is not
// what is measured here.
func (l *Lender) dial(ctx context.Context) (net.Conn, error) {
	stream, err := l.path.Dial(ctx, l.service, onion.NewIsolation())
	if err != nil {
		return nil, err
	}
	if l.delay > 0 {
		stream = slow(stream, l.delay)
	}
	return &counted{stream, &l.bytes}, nil
}

// Trip implements meet.Carrier: there is one gateway.
func (l *Lender) Trip() meet.Trip { return l }

// Relay opens a stream to the gateway as a relay.
func (l *Lender) Relay(ctx context.Context) (*relay.Link, error) {
	stream, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	return &relay.Link{Stream: stream, Host: "gateway"}, nil
}

// Open opens a stream to the gateway.
func (l *Lender) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	stream, err := l.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	conn := onion.NewPacketConn(stream)
	nodes, err := conn.Nodes(ctx)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, nodes, nil
}

// Bytes returns how many bytes went over the path so far, in both directions.
func (l *Lender) Bytes() int64 { return l.bytes.Load() }

// Stop ends the gateway and returns when nothing of it is left.
func (l *Lender) Stop() {
	l.stop()
	<-l.ended
	_ = l.path.Close()
}

// counted counts the bytes of a stream.
type counted struct {
	net.Conn
	bytes *atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}
