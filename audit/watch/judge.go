// Who may send what to whom.

package watch

import (
	"net/netip"
	"slices"
)

// A Verdict is what a flow is.
type Verdict string

// Verdicts.
const (
	Fine   Verdict = "fine"   // the rules name it
	Kernel Verdict = "kernel" // of nobody, and exactly what kernels send by themselves
	Stray  Verdict = "stray"  // anything else
	Name   Verdict = "name"   // stray, and it asks for a name
)

// A Pair lets one role write to another on loopback.
type Pair struct {
	From, To string
	Proto    byte
}

// An Exit lets one role write to one address outside, by one interface if it names one.
type Exit struct {
	Role      string
	Proto     byte
	To        netip.AddrPort
	Interface string
}

// Rules say what is fine. What they do not name is stray.
type Rules struct {
	Pairs   []Pair
	Exits   []Exit
	Indoors []string // roles whose sockets are on loopback, all of them
	Closed  []string // roles that have no socket to which others could come
	// Own are addresses of loopback that only what is not watched, or may do what it does there,
	// sends from. They speak for packets whose socket was gone before it could be looked up.
	Own     map[netip.Addr]string // and which role that is
	Quick   []netip.AddrPort      // ports of loopback at which the same holds, in both directions
	Called  []string              // roles whose ports of loopback, where they listen, are all Quick
	Scenery []string              // roles that are not watched: on loopback they send to anybody
	// Loopback lets everybody write to everybody on this machine, but for questions for names.
	Loopback bool
}

// nameports are those at which names are asked for: DNS, NetBIOS, DNS over TLS, mDNS, LLMNR.
func nameport(proto byte, port uint16) bool {
	return (proto == UDP || proto == TCP) &&
		slices.Contains([]uint16{53, 137, 853, 5353, 5355}, port)
}

// Judge says what a flow is. What goes by lo stays on this machine: everything else has a route by
// another interface.
func (r Rules) Judge(f Flow) Verdict {
	switch {
	case nameport(f.Proto, f.To.Port()) && !r.pair(f):
		return Name
	case f.Interface == "lo":
		if r.pair(f) || r.Loopback || slices.Contains(r.Scenery, f.Owner.Role) {
			return Fine
		}
		if f.Owner == (Owner{}) && r.Own[f.From.Addr()] != "" || r.quick(f) {
			return Fine
		}
		if f.Owner == (Owner{}) && refusal(f) {
			return Kernel
		}
	case f.Owner == (Owner{}):
		if neighbours(f) {
			return Kernel
		}
	case r.exit(f):
		return Fine
	}
	return Stray
}

// quick reports whether a flow goes to a Quick port from nobody, or comes back from there.
func (r Rules) quick(f Flow) bool {
	return f.Proto == TCP && (f.Owner == (Owner{}) && slices.Contains(r.Quick, f.To) ||
		f.Peer == (Owner{}) && slices.Contains(r.Quick, f.From))
}

// With are the rules where some doors have been seen.
func (r Rules) With(doors []Door) Rules {
	r.Quick = slices.Clone(r.Quick)
	for _, d := range doors {
		if d.Listen && d.At.Addr().IsLoopback() && slices.Contains(r.Called, d.Owner.Role) {
			r.Quick = append(r.Quick, d.At)
		}
	}
	return r
}

func (r Rules) pair(f Flow) bool {
	from, to := f.Owner.Role, f.Peer.Role
	if to == "" {
		to = r.Own[f.To.Addr()]
	}
	return f.Interface == "lo" && from != "" && to != "" &&
		slices.Contains(r.Pairs, Pair{from, to, f.Proto})
}

func (r Rules) exit(f Flow) bool {
	return slices.Contains(r.Exits, Exit{f.Owner.Role, f.Proto, f.To, ""}) ||
		slices.Contains(r.Exits, Exit{f.Owner.Role, f.Proto, f.To, f.Interface})
}

// refusal reports whether a flow is how a kernel refuses on loopback: a reset, or an ICMP error.
func refusal(f Flow) bool {
	return f.Proto == TCP && f.Type == flagRST || f.Proto == ICMP && f.Type == 3 ||
		f.Proto == ICMPv6 && f.Type == 1
}

// Types of ICMPv6 that a kernel sends when an interface comes up.
const (
	routerSolicit    = 133
	neighbourSolicit = 135
	listenerReport   = 143
)

// neighbours reports whether a flow is what a kernel with IPv6 says to its own link.
func neighbours(f Flow) bool {
	from, to := f.From.Addr(), f.To.Addr()
	if f.Proto != ICMPv6 || !from.IsLinkLocalUnicast() && !from.IsUnspecified() {
		return false
	}
	switch f.Type {
	case routerSolicit:
		return to == netip.IPv6LinkLocalAllRouters()
	case listenerReport:
		return f.Options && to == netip.MustParseAddr("ff02::16")
	case neighbourSolicit:
		b := to.As16()
		return to.IsLinkLocalMulticast() && b[11] == 1 && b[12] == 0xff
	}
	return false
}

// Open reports whether a socket is a door that its owner may not have.
func (r Rules) Open(d Door) bool {
	switch {
	case slices.Contains(r.Closed, d.Owner.Role):
		return true
	case slices.Contains(r.Indoors, d.Owner.Role):
		return d.Raw || !d.At.Addr().IsLoopback()
	}
	return false
}
