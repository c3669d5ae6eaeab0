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

// MaySend reports whether a gateway may send to a node: one IPv4 host, on the Internet unless
// private is set, and not at a system service's port.
func MaySend(node netip.AddrPort, private bool) bool {
	a := node.Addr()
	if !a.Is4() || node.Port() < lowestPort || within(notHosts(), a) {
		return false
	}
	return private || !within(notPublic(), a)
}

// Public reports whether a is one host on the Internet.
func Public(a netip.Addr) bool {
	return a.Is4() && !within(notHosts(), a) && !within(notPublic(), a)
}

func within(blocks []block, a netip.Addr) bool {
	for _, b := range blocks {
		if b.holds(a) {
			return true
		}
	}
	return false
}
