// What every way out can do, and the words for it.

package onion

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"

	"nightjar/onion/exposure"
)

// A Path is one way out. It is safe for use by several goroutines at once.
type Path interface {
	// Dial opens a stream to an onion service. Streams of different Isolation never share a
	// circuit. It ends as soon as ctx does. Errors are of type *Error, wrapping ErrNoService,
	// ErrNotAuthorized, ErrRemote, ErrPathClosed or ErrTorDied where they apply.
	Dial(ctx context.Context, to Remote, iso Isolation) (net.Conn, error)

	// Publish makes a service reachable until the listener or the path is closed. It returns
	// before the service can be found: Listener.Published says when that is.
	Publish(ctx context.Context, s Service) (Listener, error)

	// Exposes says who learns what when this path is used.
	Exposes() []Exposure

	// Close ends the path, its listeners and its streams. It returns when all have ended.
	Close() error
}

// A Remote is an onion service to be dialled.
type Remote struct {
	ID      string // 56 characters, lower case, without ".onion"
	Port    uint16
	Auth    [32]byte // X25519 private key of client authorization
	HasAuth bool     // whether Auth is set
}

// A Service is an onion service to be published.
type Service struct {
	Seed    [32]byte // of the Ed25519 key from which its id follows (RFC 8032 section 5.1.5)
	Port    uint16
	Clients [][32]byte // X25519 public keys of those let in; empty: open to all who know the id
}

// A Listener accepts the streams of a published service.
type Listener interface {
	net.Listener
	ID() string                 // of the service, as in Remote
	Published() <-chan struct{} // closed when enough descriptors are out for it to be found
}

// An Isolation names a set of streams that may share circuits. The empty one is shared with none,
// not even with another empty one.
type Isolation string

// NewIsolation returns an isolation that nothing else shares.
func NewIsolation() Isolation { return Isolation(rand.Text()) }

// An Exposure says what one party learns when a way out is used, in words for people.
type Exposure = exposure.Exposure

// Packets is a way out that carries datagrams and TCP streams to addresses: what VPN, SOCKS, one
// interface and direct are. They know no onion services: a contact is met at an address, and the
// DHT is spoken to as it is. It is safe for use by several goroutines at once. When it fails it
// stays failed; nothing takes its place.
type Packets interface {
	// ListenPacket opens a socket of its own, with a port that nothing else uses: one for each
	// operation that must not be linked by its port, or for a tunnel. WriteTo takes *net.UDPAddr.
	// A method Lost() <-chan struct{}, if it has one, tells of its end. Errors hold no address.
	ListenPacket(ctx context.Context) (net.PacketConn, error)

	// DialAddr opens a TCP stream to an address. It ends as soon as ctx does.
	DialAddr(ctx context.Context, to netip.AddrPort) (net.Conn, error)

	// Exposes says who learns what when this way is used.
	Exposes() []Exposure

	// Done is closed when the way is gone, by its owner or by itself.
	Done() <-chan struct{}

	// Close ends the way, its sockets and its streams. It returns when all have ended.
	Close() error
}
