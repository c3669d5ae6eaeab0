// The bytes of an atlas, for the vault.

package atlas

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// ErrAtlas is returned for bytes that are no atlas.
var ErrAtlas = errors.New("not an atlas of nodes")

const version = 1

// Encode returns the nodes that can be counted on, and whether they differ from what Encode or
// Decode had last.
func (a *Atlas) Encode() (b []byte, news bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	news, a.news = a.news, false
	b = []byte{version}
	for _, e := range a.proven {
		ip := e.node.Addr().AsSlice()
		b = append(append(b, byte(len(ip))), ip...)
		b = binary.BigEndian.AppendUint16(b, e.node.Port())
		b = binary.BigEndian.AppendUint32(b, e.hour)
	}
	return b, news
}

// Decode adds what Encode wrote, or returns ErrAtlas and adds nothing.
func (a *Atlas) Decode(b []byte) error {
	if len(b) == 0 || b[0] != version {
		return ErrAtlas
	}
	proven := make(map[netip.Prefix]entry)
	for b = b[1:]; len(b) > 0; {
		size := int(b[0])
		if size != 4 && size != 16 || len(b) < 1+size+6 || len(proven) >= maxProven {
			return ErrAtlas
		}
		ip, _ := netip.AddrFromSlice(b[1 : 1+size])
		rest := b[1+size:]
		e := entry{netip.AddrPortFrom(ip, binary.BigEndian.Uint16(rest)),
			binary.BigEndian.Uint32(rest[2:])}
		net := network(ip)
		if _, twice := proven[net]; twice || e.node.Port() == 0 || ip.Is4In6() {
			return ErrAtlas
		}
		proven[net] = e
		b = rest[6:]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.grow()
	for net, e := range proven {
		if _, known := a.proven[net]; !known && len(a.proven) < maxProven {
			a.proven[net] = e
		}
	}
	return nil
}
