// A card on the wire: the map inside it, and what each entry may hold.

package card

import (
	"encoding/binary"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	maxGateways = 8
	maxNodes    = 16
	maxLines    = 8
	maxBridge   = 1024 // characters
	maxRelay    = 256  // characters
)

// cardBody is Card on the wire. Empty entries are left out.
type cardBody struct {
	Address  [32]byte `cbor:"1,keyasint"`
	Name     string   `cbor:"2,keyasint,omitempty"`
	Inbox    [32]byte `cbor:"3,keyasint"`
	Uses     uint32   `cbor:"4,keyasint,omitempty"`
	Expires  uint32   `cbor:"5,keyasint,omitempty"` // minutes since 1970, UTC
	Doorbell []byte   `cbor:"6,keyasint,omitempty"` // service key 32 | port 2
	Gateways [][]byte `cbor:"7,keyasint,omitempty"` // the same
	Nodes    [][]byte `cbor:"8,keyasint,omitempty"` // IPv4 4 or IPv6 16 | port 2
	Bridges  []string `cbor:"9,keyasint,omitempty"`
	Relays   []string `cbor:"10,keyasint,omitempty"`
}

func (c *Card) body() (cardBody, error) {
	b := cardBody{Address: c.Address, Name: c.Name, Inbox: c.Inbox, Uses: uint32(c.Uses),
		Bridges: c.Bridges, Relays: c.Relays}
	if uint(b.Uses) != c.Uses {
		return b, ErrSize
	}
	if !c.Expires.IsZero() {
		n, ok := whole(c.Expires, time.Minute)
		if !ok || n == 0 {
			return b, ErrCard
		}
		b.Expires = n
	}
	if c.Doorbell != (Gateway{}) {
		b.Doorbell = packGateway(c.Doorbell)
	}
	for _, g := range c.Gateways {
		b.Gateways = append(b.Gateways, packGateway(g))
	}
	for _, n := range c.Nodes {
		b.Nodes = append(b.Nodes, packNode(n))
	}
	_, err := b.card() // what we write, all must be able to read
	return b, err
}

func (b *cardBody) card() (*Card, error) {
	c := &Card{Address: b.Address, Name: b.Name, Inbox: b.Inbox, Uses: uint(b.Uses),
		Bridges: b.Bridges, Relays: b.Relays}
	if err := c.Address.check(); err != nil {
		return nil, err
	}
	if !plain(b.Name, MaxName) {
		return nil, ErrText
	}
	if len(b.Gateways) > maxGateways || len(b.Nodes) > maxNodes ||
		len(b.Bridges) > maxLines || len(b.Relays) > maxLines {
		return nil, ErrSize
	}
	if b.Expires != 0 {
		c.Expires = unwhole(b.Expires, time.Minute)
	}
	if !b.unpack(c) || !linesAllowed(b.Bridges, b.Relays) {
		return nil, ErrCard
	}
	return c, nil
}

// unpack sets the binary entries of c and reports whether all are well formed.
func (b *cardBody) unpack(c *Card) bool {
	ok := true
	if len(b.Doorbell) > 0 {
		c.Doorbell, ok = unpackGateway(b.Doorbell)
	}
	for _, raw := range b.Gateways {
		g, good := unpackGateway(raw)
		c.Gateways, ok = append(c.Gateways, g), ok && good
	}
	for _, raw := range b.Nodes {
		n, good := unpackNode(raw)
		c.Nodes, ok = append(c.Nodes, n), ok && good
	}
	return ok
}

func linesAllowed(bridges, relays []string) bool {
	for _, s := range bridges {
		if !plainLine(s, maxBridge) {
			return false
		}
	}
	for _, s := range relays {
		if CheckRelay(s) != nil {
			return false
		}
	}
	return true
}

// CheckRelay returns ErrRelay for what is no pkarr relay's URL: https, or http to an onion service,
// of at most 256 characters, without a user or a query.
func CheckRelay(s string) error {
	if !plainLine(s, maxRelay) || !relayURL(s) {
		return ErrRelay
	}
	return nil
}

// relayURL reports whether s is an https URL, or an http URL of an onion service, which
// authenticates itself.
func relayURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && strings.HasSuffix(u.Hostname(), ".onion")
}

func packGateway(g Gateway) []byte {
	k, ok := serviceKey(g.ID)
	if !ok {
		return []byte{0} // refused by unpackGateway
	}
	return binary.BigEndian.AppendUint16(k[:], g.Port)
}

func unpackGateway(b []byte) (Gateway, bool) {
	if len(b) != 34 {
		return Gateway{}, false
	}
	g := Gateway{ID: serviceID([32]byte(b[:32])), Port: binary.BigEndian.Uint16(b[32:])}
	return g, g.Port != 0
}

func packNode(n netip.AddrPort) []byte {
	return binary.BigEndian.AppendUint16(n.Addr().Unmap().WithZone("").AsSlice(), n.Port())
}

func unpackNode(b []byte) (netip.AddrPort, bool) {
	if len(b) != 6 && len(b) != 18 {
		return netip.AddrPort{}, false
	}
	ip, _ := netip.AddrFromSlice(b[:len(b)-2])
	n := netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[len(b)-2:]))
	return n, n.Port() != 0 && !ip.Is4In6() && !ip.IsUnspecified() && !ip.IsMulticast()
}
