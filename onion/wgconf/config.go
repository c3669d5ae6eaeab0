// Package wgconf reads the files that wg-quick(8) reads, as VPN operators hand them out: one
// interface, one peer. It is pure: it opens nothing, looks up nothing and runs nothing.
//
//	[Interface]  PrivateKey Address DNS MTU, and ListenPort Table FwMark SaveConfig, which concern
//	             an interface of the system: their form is checked, then they are left aside
//	[Peer]       PublicKey PresharedKey Endpoint AllowedIPs PersistentKeepalive
//
// It refuses what it would have to ignore or guess: commands (PreUp, PostUp, PreDown, PostDown),
// endpoints by name, keys it does not know, keys given twice, a second peer.
package wgconf

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
)

// The bounds of a file.
const (
	MaxFile      = 64 << 10 // bytes
	maxAddresses = 16
	maxServers   = 8
	maxAllowed   = 2048
)

// The MTUs: what wg-quick takes on an Ethernet, and what is allowed.
const (
	usualMTU  = 1420
	lowestMTU = 576  // RFC 791
	mtuForIP6 = 1280 // RFC 8200
	maxMTU    = 9000
)

var (
	// ErrCommand means a line that names a command to run; take the line out.
	ErrCommand = errors.New("commands are not run")
	// ErrHostName means an endpoint by name. To ask for its address would tell the network which
	// VPN is about to be used; write the address there.
	ErrHostName = errors.New("the endpoint must be an address, its name would have to be asked for")
	// ErrUnknown means a section or key that is not known.
	ErrUnknown = errors.New("unknown key")
	// ErrTwice means a second value for what can have one, or a second peer.
	ErrTwice = errors.New("given twice")
	// ErrMissing means that a key, an address, a peer, its endpoint or what goes to it is missing.
	ErrMissing = errors.New("something is missing")
	// ErrValue means a value that is not well formed or out of bounds.
	ErrValue = errors.New("not a value for this key")
)

// An Error says in which line of a file something is wrong. Its text holds nothing of the file.
type Error struct {
	Line int // from 1; 0 when it is the file as a whole
	Err  error
}

// Error returns the line and what is wrong with it.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Err.Error()
	}
	return "line " + strconv.Itoa(e.Line) + ": " + e.Err.Error()
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// Config is what such a file says.
type Config struct {
	Addresses []netip.Addr   // of this end, inside the VPN; at least one
	Servers   []netip.Addr   // that answer DNS, inside the VPN
	MTU       int            // bytes
	Endpoint  netip.AddrPort // of the other end, outside
	Allowed   []netip.Prefix // where the peer leads
	Keepalive int            // seconds between packets that keep a NAT open; 0 for none

	keys func() *keys // a function, since fmt shows what is behind a pointer if the verb is wrong
}

// keys are 32 bytes each (Curve25519, and a symmetric one).
type keys struct {
	private, public, preshared       [32]byte
	hasPrivate, hasPublic, hasShared bool
}

// Equal reports whether two configurations say the same.
func (c *Config) Equal(d *Config) bool {
	return slices.Equal(c.Addresses, d.Addresses) && slices.Equal(c.Servers, d.Servers) &&
		c.MTU == d.MTU && c.Endpoint == d.Endpoint && slices.Equal(c.Allowed, d.Allowed) &&
		c.Keepalive == d.Keepalive && *c.keys() == *d.keys()
}

// Peer returns the public key of the other end.
func (c *Config) Peer() [32]byte { return c.keys().public }

// Wipe overwrites the keys. The Config is of no use afterwards.
func (c *Config) Wipe() { *c.keys() = keys{} }

// check looks at a file as a whole, once all lines have been read.
func (c *Config) check() error {
	if !c.keys().hasPrivate || !c.keys().hasPublic || len(c.Addresses) == 0 ||
		!c.Endpoint.IsValid() || len(c.Allowed) == 0 {
		return ErrMissing
	}
	if c.MTU == 0 {
		c.MTU = usualMTU
	}
	if c.MTU < mtuForIP6 && slices.ContainsFunc(c.Addresses, netip.Addr.Is6) {
		return ErrValue
	}
	return nil
}
