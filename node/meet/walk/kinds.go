// The two kinds of address, each of which has a DHT of its own (BEP32).

package walk

import "net/netip"

// The kinds, as indices.
const (
	ip4 = 0
	ip6 = 1
)

func kindOf(a netip.Addr) int {
	if a.Is4() {
		return ip4
	}
	return ip6
}

func (w *walk) kind(p *peer) int { return kindOf(p.addr.Addr()) }

// main is the kind whose nodes count: IPv4 where the road carries it, for everybody can read there.
func (w *walk) main() int {
	if w.road.kinds[ip4] {
		return ip4
	}
	return ip6
}

// share is how many nodes of a kind there shall be where n of the main one are: half as many of the
// other.
func (w *walk) share(kind, n int) int {
	switch {
	case !w.road.kinds[kind]:
		return 0
	case kind == w.main():
		return n
	}
	return n / 2
}

// network is the block of addresses that counts as one owner's: what providers are given, 16 bits
// of IPv4 and 32 of IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := 16
	if a.Is6() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // in range for both kinds
	return p
}
