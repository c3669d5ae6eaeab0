// What others see of our address, and what follows from it. Pure.

package road

import (
	"net/netip"
	"slices"
)

// panel is how many nodes are asked at a time: no single one is believed.
const panel = 3

// A verdict is what nodes say of our address.
type verdict int

const (
	unknown  verdict = iota // too few answered, or they do not agree
	agreed                  // two saw the same address and port, of at most three
	shifting                // the same address, but each another port: nobody can dial us
)

// judge makes a verdict of what at most three nodes saw. One that lies is outvoted.
func judge(seen []netip.AddrPort) (netip.AddrPort, verdict) {
	v := unknown
	for i, a := range seen {
		for _, b := range seen[i+1:] {
			if a == b {
				return a, agreed
			}
			if a.Addr() == b.Addr() {
				v = shifting
			}
		}
	}
	return netip.AddrPort{}, v
}

// apart returns at most n of the nodes, no two of one network of 16 bits (32 of IPv6), which could
// be one owner's, and none that is not allowed.
func apart(nodes []netip.AddrPort, n int, allowed func(netip.AddrPort) bool) (
	out []netip.AddrPort) {
	var nets []netip.Prefix
	for _, a := range nodes {
		if a = plain(a); !a.Addr().Is4() || len(out) == n || !allowed(a) {
			continue // our sockets carry IPv4
		}
		net, _ := a.Addr().Prefix(16) // in range
		if !slices.Contains(nets, net) {
			nets, out = append(nets, net), append(out, a)
		}
	}
	return out
}

// dialable returns those of the addresses of a record that somebody at own may knock at: a contact
// must not make us send anything to the machines beside us, unless that is allowed and we are all
// there.
func dialable(own netip.AddrPort, at []netip.AddrPort, allowed func(netip.AddrPort) bool) (
	out []netip.AddrPort) {
	for _, a := range at {
		if a.Addr().Is4() && allowed(a) && sphere(a.Addr()) == sphere(own.Addr()) {
			out = append(out, a)
		}
	}
	return out
}

// sphere says how far an address means the same: 0 everywhere, 1 on the network beside us, 2 on
// this machine. An address that is not known counts as one that means the same everywhere.
func sphere(a netip.Addr) int {
	switch {
	case a.IsLoopback():
		return 2
	case a.IsPrivate(), a.IsLinkLocalUnicast():
		return 1
	}
	return 0
}
