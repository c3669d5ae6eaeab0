// Where a gateway may send. A gateway must not become a way into the network that it stands in, nor
// a way to trouble services that are not DHT nodes.

package frame

import "net/netip"

// lowestPort is the first port outside the range of system services: DHT nodes are above it.
const lowestPort = 1024

// A block is a range of addresses.
type block struct {
	base [4]byte
	bits int
}

func (b block) holds(a netip.Addr) bool {
	return netip.PrefixFrom(netip.AddrFrom4(b.base), b.bits).Contains(a)
}

// notHosts are the blocks in which no address is one host (RFC 6890, RFC 5771).
func notHosts() []block {
	return []block{
		{[4]byte{0}, 8},   // this network
		{[4]byte{224}, 4}, // multicast
		{[4]byte{240}, 4}, // reserved, and the broadcast address
	}
}

// notPublic are the blocks of hosts that are not on the Internet (RFC 6890).
func notPublic() []block {
	return []block{
		{[4]byte{10}, 8},           // private
		{[4]byte{100, 64}, 10},     // shared by carriers
		{[4]byte{127}, 8},          // this machine
		{[4]byte{169, 254}, 16},    // this link
		{[4]byte{172, 16}, 12},     // private
		{[4]byte{192, 0, 0}, 24},   // protocol assignments
		{[4]byte{192, 0, 2}, 24},   // documentation
		{[4]byte{192, 88, 99}, 24}, // 6to4 relays
		{[4]byte{192, 168}, 16},    // private
		{[4]byte{198, 18}, 15},     // benchmarks
		{[4]byte{198, 51, 100}, 24},
		{[4]byte{203, 0, 113}, 24},
	}
}

// not6 are the prefixes of 2000::/3, the addresses of IPv6 that are on the Internet, in which no
// address is one native host there (RFC 6890): through some of them IPv4 hosts could be reached.
func not6() []netip.Prefix {
	prefix := func(a [16]byte, bits int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom16(a), bits)
	}
	return []netip.Prefix{
		prefix([16]byte{0x20, 0x01}, 23),             // protocol assignments, Teredo, ORCHID
		prefix([16]byte{0x20, 0x01, 0x0d, 0xb8}, 32), // documentation
		prefix([16]byte{0x20, 0x02}, 16),             // 6to4
		prefix([16]byte{0x3f, 0xff}, 20),             // documentation
	}
}

// public6 reports whether a is one IPv6 host on the Internet.
func public6(a netip.Addr) bool {
	if !plain6(a) || a.As16()[0]>>5 != 1 { // 2000::/3
		return false
	}
	for _, p := range not6() {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// MaySend reports whether a gateway may send to a node: one host, on the Internet unless private is
// set, and not at a system service's port.
func MaySend(node netip.AddrPort, private bool) bool {
	a := node.Addr()
	if node.Port() < lowestPort {
		return false
	}
	if a.Is6() {
		host := plain6(a) && !a.IsMulticast() && !a.IsUnspecified() && !a.IsLinkLocalUnicast()
		return public6(a) || private && host
	}
	return a.Is4() && !within(notHosts(), a) && (private || !within(notPublic(), a))
}

// Public reports whether a is one host on the Internet.
func Public(a netip.Addr) bool {
	return public6(a) || a.Is4() && !within(notHosts(), a) && !within(notPublic(), a)
}

func within(blocks []block, a netip.Addr) bool {
	for _, b := range blocks {
		if b.holds(a) {
			return true
		}
	}
	return false
}
