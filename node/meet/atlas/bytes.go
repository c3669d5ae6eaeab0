// The bytes of an atlas, for the vault.

package atlas

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// ErrAtlas is returned for bytes that are no atlas.
var ErrAtlas = errors.New("not an atlas of nodes")

const (
	version  = 2
	unproven = 1   // version whose nodes nobody proved
	proof    = 128 // added to the size of the address of a proven node
)

// Encode returns the nodes that are known, and whether they differ from what Encode or Decode had
// last.
func (a *Atlas) Encode() (b []byte, news bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	news, a.news = a.news, false
	b = []byte{version}
	for _, e := range a.known {
		ip := e.node.Addr().AsSlice()
		size := byte(len(ip))
		if e.proven {
			size += proof
		}
		b = append(append(b, size), ip...)
		b = binary.BigEndian.AppendUint16(b, e.node.Port())
		b = binary.BigEndian.AppendUint32(b, e.hour)
	}
	return b, news
}

// Decode adds what Encode wrote, or returns ErrAtlas and adds nothing.
func (a *Atlas) Decode(b []byte) error {
	if len(b) == 0 || b[0] != version && b[0] != unproven {
		return ErrAtlas
	}
	known := make(map[netip.Prefix]entry)
	proofs := b[0] != unproven
	for b = b[1:]; len(b) > 0; {
		e, n := decodeEntry(b, proofs)
		net := network(e.node.Addr())
		if _, twice := known[net]; twice || n == 0 || len(known) >= maxKnown {
			return ErrAtlas
		}
		known[net] = e
		b = b[n:]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.grow()
	for net, e := range known {
		if _, taken := a.known[net]; !taken && len(a.known) < maxKnown {
			a.known[net] = e
		}
	}
	return nil
}

// decodeEntry reads one node and returns how many bytes it has; 0 for what is none.
func decodeEntry(b []byte, proofs bool) (e entry, n int) {
	size := int(b[0])
	if proofs && size >= proof {
		e.proven, size = true, size-proof
	}
	if size != 4 && size != 16 || len(b) < 1+size+6 {
		return e, 0
	}
	ip, _ := netip.AddrFromSlice(b[1 : 1+size])
	rest := b[1+size:]
	e.node = netip.AddrPortFrom(ip, binary.BigEndian.Uint16(rest))
	e.hour = binary.BigEndian.Uint32(rest[2:])
	if e.node.Port() == 0 || ip.Is4In6() {
		return e, 0
	}
	return e, 1 + size + 6
}
