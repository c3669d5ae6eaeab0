// The headers of a packet: as much as says what it is, from whom and to whom.

package watch

import (
	"encoding/binary"
	"net/netip"
)

// Protocols as IP headers name them.
const (
	ICMP   = 1
	IGMP   = 2
	TCP    = 6
	UDP    = 17
	ICMPv6 = 58
)

// A Packet is what the headers say. Ports are 0 where the protocol has none, and in later
// fragments.
type Packet struct {
	Proto    byte
	From, To netip.AddrPort
	Type     byte // of ICMP, ICMPv6 and IGMP; the flags of TCP
	Options  bool // of IPv6, hop by hop: what listeners' reports have
}

// TCP flags.
const (
	flagSYN = 2
	flagRST = 4
	flagACK = 16
)

// maxHeaders is how many extension headers of IPv6 are read; what lies deeper has no ports here.
const maxHeaders = 8

// Parse reads an IP packet, of which the end may be missing. What is no IP packet is not ok.
func Parse(b []byte) (p Packet, ok bool) {
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		return parse4(b)
	case len(b) >= 40 && b[0]>>4 == 6:
		return parse6(b), true
	}
	return p, false
}

func parse4(b []byte) (p Packet, ok bool) {
	size := int(b[0]&15) * 4
	if size < 20 {
		return p, false
	}
	p.Proto = b[9]
	from, to := netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	var rest []byte
	if binary.BigEndian.Uint16(b[6:])&0x1fff == 0 && len(b) > size {
		rest = b[size:]
	}
	p.inner(from, to, rest)
	return p, true
}

func parse6(b []byte) (p Packet) {
	from, to := netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
	next, rest := b[6], b[40:]
	for range maxHeaders {
		size := 0
		switch next {
		case 0, 43, 60: // hop by hop, routing, destination
			if len(rest) >= 2 {
				size = int(rest[1])*8 + 8
			}
		case 44: // fragment
			size = 8
			if len(rest) >= 8 && binary.BigEndian.Uint16(rest[2:])>>3 != 0 {
				p.Proto = rest[0]
				p.inner(from, to, nil)
				return p
			}
		default:
			p.Proto = next
			p.inner(from, to, rest)
			return p
		}
		if size == 0 || len(rest) < size {
			break
		}
		p.Options = p.Options || next == 0
		next, rest = rest[0], rest[size:]
	}
	p.Proto = next
	p.inner(from, to, nil)
	return p
}

// inner reads what follows the IP header.
func (p *Packet) inner(from, to netip.Addr, b []byte) {
	var ports [2]uint16
	switch p.Proto {
	case TCP, UDP:
		if len(b) >= 4 {
			ports[0], ports[1] = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		}
		if p.Proto == TCP && len(b) >= 14 {
			p.Type = b[13]
		}
	case ICMP, ICMPv6, IGMP:
		if len(b) > 0 {
			p.Type = b[0]
		}
	}
	p.From, p.To = netip.AddrPortFrom(from, ports[0]), netip.AddrPortFrom(to, ports[1])
}

// ProtoName is how a protocol is called.
func ProtoName(proto byte) string {
	switch proto {
	case ICMP:
		return "icmp"
	case IGMP:
		return "igmp"
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case ICMPv6:
		return "icmp6"
	}
	return "other"
}
