// Package lend is the gateway: one node lends its UDP to others, for DHT datagrams only, over
// streams that reach it through an onion service. Gateway is the lender's end, PacketConn the
// borrower's; package frame is what they say. The lender keeps no log; it learns what the datagrams
// say, but not whose they are. What a DHT datagram is, it is told by two functions.
//
// A stream that begins like an HTTP request is handed to a relay, which it does not know either: it
// walks the DHT for the client, by the same rules, over conns that Gateway.Open lends.
package lend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"nightjar/onion/quiet"
)

// Config says what a gateway lends.
type Config struct {
	// Listen is the IPv4 address, with port 0, at which UDP sockets are opened; "" is 0.0.0.0:0.
	// Each stream has a socket of its own, so no port can be named.
	Listen string
	// Socket opens the sockets, for a gateway that cannot do it itself; nil means Socket, with
	// Listen. Whoever opens them answers for their address and for broadcast.
	Socket func(ctx context.Context) (*net.UDPConn, error)
	// Listen6 is the IPv6 address, with port 0, at which sockets for IPv6 nodes are opened, such as
	// [::]:0; with "", and no Socket6, IPv6 is not lent.
	Listen6 string
	// Socket6 opens those sockets, as Socket does the others.
	Socket6 func(ctx context.Context) (*net.UDPConn, error)
	// AllowPrivate lets datagrams go to addresses that are not on the Internet: for networks that
	// are private as a whole, never beside a network that strangers must not reach.
	AllowPrivate bool
	// Accept reports whether a client's datagram may be sent: whether it is a DHT query.
	Accept func(packet []byte) bool
	// Reply reports whether a node's datagram may be returned: whether it is a DHT reply.
	Reply func(packet []byte) bool
	// Nodes returns DHT nodes for clients that know none. It may be nil.
	Nodes func() []netip.AddrPort
	// Relay serves a stream that begins with a letter, as HTTP does and no frame can: with it the
	// gateway walks for clients. It may use Gateway.Open, and returns when the stream or ctx
	// ends; it closes the stream. If it is nil, such streams are closed.
	Relay func(ctx context.Context, stream net.Conn)
}

// The bounds of a gateway.
const (
	maxLent    = 1024             // streams at a time; for more, see hall
	maxOwn     = 64               // conns at a time that are lent to this process itself
	lentIdle   = 2 * time.Minute  // without a frame from the client
	lentLife   = 30 * time.Minute // of one stream
	lentStall  = 10 * time.Second // until a client that does not read is given up
	streamRate = 40               // datagrams per second and stream; a faster client waits
	totalRate  = 800              // per second over all streams
	hostRate   = 20               // per second to one host on the Internet; more are dropped
	replyTime  = 30 * time.Second // in which a node's reply is awaited
	maxAsked   = 1024             // nodes per stream from which a reply is awaited
	fewAsked   = 128              // of which those whose time is over need not be forgotten
)

var (
	// ErrConfig means a Config without rules, or with a Listen that is not IPv4 and port 0, or a
	// Listen6 that is not IPv6 and port 0.
	ErrConfig = errors.New("a gateway needs its rules, and addresses of their kind with port 0")
	// ErrBusy means that a gateway lends all that it can to itself.
	ErrBusy = errors.New("the gateway has no seat left")
	// errPacket is why a datagram was not carried; only counted.
	errPacket = errors.New("datagram dropped")
)

// A Gateway lends UDP. It is safe for use by several goroutines at once.
type Gateway struct {
	config Config
	open   func(context.Context) (udpSocket, error)
	open6  func(context.Context) (udpSocket, error) // nil: IPv6 is not lent
	rate   *rate.Limiter
	hosts  hostLimit
	hall   *hall
	seats  chan struct{}  // of loans to this process itself
	own    sync.WaitGroup // the same

	served, refused, sent, returned, dropped atomic.Uint64
}

// Stats are counts since the start; no more than counts is kept.
type Stats struct {
	Streams  int    // open now
	Served   uint64 // streams so far
	Refused  uint64 // streams closed at once because there was no room
	Sent     uint64 // datagrams sent to nodes
	Returned uint64 // replies returned to clients
	Dropped  uint64 // datagrams and replies against the rules
}

// New returns a gateway that serves nobody yet. The error is ErrConfig.
func New(c Config) (*Gateway, error) {
	at, err := place(c.Listen)
	if c.Accept == nil || c.Reply == nil || err != nil || !at.Addr().Is4() {
		return nil, ErrConfig
	}
	g := &Gateway{
		config: c,
		open:   opener(at, c.Socket),
		rate:   rate.NewLimiter(totalRate, totalRate),
		hall:   newHall(),
		seats:  make(chan struct{}, maxOwn),
	}
	if c.Listen6 != "" || c.Socket6 != nil {
		if at, err = place(c.Listen6); err != nil || c.Listen6 != "" && !at.Addr().Is6() {
			return nil, ErrConfig
		}
		g.open6 = opener(at, c.Socket6)
	}
	return g, nil
}

// opener opens sockets: those of another process, if it has any for us.
func opener(at netip.AddrPort, theirs func(context.Context) (*net.UDPConn, error)) func(
	context.Context) (udpSocket, error) {
	if theirs == nil {
		return func(ctx context.Context) (udpSocket, error) { return openUDP(ctx, at) }
	}
	return func(ctx context.Context) (udpSocket, error) { return theirs(ctx) }
}

// place reads a Listen or Listen6.
func place(listen string) (netip.AddrPort, error) {
	if listen == "" {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0), nil
	}
	at, err := netip.ParseAddrPort(listen)
	if err != nil || at.Addr().Is4In6() || at.Port() != 0 {
		return at, ErrConfig
	}
	return at, nil
}

// Serve lends to the clients that l accepts until ctx ends or l fails. It closes l, and returns
// when every stream has ended.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var streams sync.WaitGroup
	defer g.own.Wait()
	defer streams.Wait()
	defer cancel()
	for {
		c, err := l.Accept()
		if err != nil {
			l.Close()
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("accept stream: %w", quiet.Error(err))
		}
		one, out := context.WithCancel(ctx)
		who := &guest{begun: time.Now(), out: out}
		if !g.hall.enter(who, who.begun) {
			g.refused.Add(1)
			out()
			c.Close()
			continue
		}
		g.served.Add(1)
		streams.Go(func() {
			defer g.hall.leave(who)
			defer out()
			g.receive(one, c, who)
		})
	}
}

// Stats returns the counts.
func (g *Gateway) Stats() Stats {
	return Stats{
		Streams: g.hall.count(),
		Served:  g.served.Load(), Refused: g.refused.Load(), Sent: g.sent.Load(),
		Returned: g.returned.Load(), Dropped: g.dropped.Load(),
	}
}

// A hostLimit bounds how fast one host is sent to, over all streams: of IPv6 one network of 64
// bits, in which a host has as many addresses as it likes. It counts in whole seconds and forgets
// with each of them.
type hostLimit struct {
	mu     sync.Mutex
	second time.Time
	sent   map[netip.Addr]int // at most totalRate entries
}

func (h *hostLimit) allow(a netip.Addr, now time.Time) bool {
	if a.Is6() {
		net64, _ := a.Prefix(64) // in range
		a = net64.Addr()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if second := now.Truncate(time.Second); !second.Equal(h.second) {
		h.second, h.sent = second, map[netip.Addr]int{}
	}
	h.sent[a]++
	return h.sent[a] <= hostRate
}
