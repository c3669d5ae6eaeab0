// Package atlas keeps what walks taught about the DHT: how many nodes there are, and some that can
// be counted on to begin with. It is pure: it has no clock, sends nothing, and does not know what
// was looked for.
//
// A node is known when it answered on two roads, and proven when these led through two gateways:
// one gateway alone can play as many nodes as it likes. What is known serves its owner, since
// somebody with a single gateway has nothing else; only what is proven is passed on to others. Of
// each network of 16 bits (32 of IPv6) one is kept, 200 in all, so that nobody who owns a network
// fills the atlas; what is proven comes before what is not. Each identity has its own: what one has
// in common with another would tell that they are of one person.
//
// The bytes of an atlas, at most 4400, in any order, each node once:
//
//	offset size  what
//	0      1     version, 2 (1 had no proof: its nodes are read as known)
//	1      1     4 or 16, the size of the address; 128 more: proven    \
//	2      4|16  address                                                | as often as there
//	..     2     port, not 0                                            | are nodes
//	..     4     when it answered last, hours since 1970 (UTC)         /
package atlas

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	maxKnown   = 200
	maxFresh   = 400 // nodes that answered once; when there are more, any one makes room
	forgetTime = 30 * 24 * time.Hour

	// sizeMemory is how many walks are remembered. The estimate is their upper quartile: a walk
	// that missed some of the nearest makes the network look small, none makes it look large.
	sizeMemory = 16
	sizeLeast  = 4 // fewer walks say too little

	probeMemory = 0.97 // how much a node counts that was probed before another
	probesLeast = 7    // weight of about eight of them; fewer say too little
)

// Direct is the gateway of a road that leads through none: two such roads prove a node, since there
// is nobody who could play it.
const Direct = "direct"

// An Atlas is what is known of the network. The zero value knows nothing. It is safe for several
// goroutines.
type Atlas struct {
	mu    sync.Mutex
	sizes []float64                 // the last sizeMemory, oldest first
	fresh map[netip.AddrPort]string // answered once, through that gateway
	known map[netip.Prefix]entry
	news  bool // the known changed since Encode

	kept, probed float64 // of what we stored; the older, the less it counts
}

// entry is a node that is known.
type entry struct {
	node   netip.AddrPort
	hour   uint32 // when it answered last, since 1970
	via    string // a gateway through which it answered; "" is not known
	proven bool
}

// Learn takes in what the walks of one road found: their estimates of the size of the network, and
// the nodes that answered. via tells the gateway of the road from others: "" when nobody knows
// which it was, Direct when there was none. It is not saved.
func (a *Atlas) Learn(via string, sizes []float64, heard []netip.AddrPort, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sizes = append(a.sizes, sizes...)
	a.sizes = a.sizes[max(0, len(a.sizes)-sizeMemory):]
	a.grow()
	hour := hours(now)
	once := make(map[netip.AddrPort]bool)
	for _, n := range heard {
		if !once[n] && n.Addr().IsValid() && n.Port() != 0 {
			once[n] = true
			a.hear(n, via, hour)
		}
	}
	for net, e := range a.known {
		if e.hour+uint32(forgetTime/time.Hour) < hour {
			delete(a.known, net)
			a.news = true
		}
	}
}

func (a *Atlas) grow() {
	if a.fresh == nil {
		a.fresh, a.known = make(map[netip.AddrPort]string), make(map[netip.Prefix]entry)
	}
}

// Forget forgets nodes, until they are heard again, and reports whether any was known.
func (a *Atlas) Forget(nodes []netip.AddrPort) (was bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range nodes {
		delete(a.fresh, n)
		if net := network(n.Addr()); a.known[net].node == n {
			delete(a.known, net)
			a.news, was = true, true
		}
	}
	return was
}

// apart reports whether two roads cannot both be of one gateway that plays nodes.
func apart(via, other string) bool {
	return via != "" && other != "" && (via != other || via == Direct)
}

// hear notes that a node answered on a road. Called with mu held.
func (a *Atlas) hear(n netip.AddrPort, via string, hour uint32) {
	net := network(n.Addr())
	e, taken := a.known[net]
	switch {
	case taken && e.node == n:
		a.again(net, e, via, hour)
		return
	case taken && e.proven:
		return
	}
	first, twice := a.fresh[n]
	if !twice {
		a.note(n, via)
		return
	}
	proven := apart(first, via)
	if taken && !proven {
		return // one that is not proven either has the place
	}
	delete(a.fresh, n)
	a.keep(net, entry{n, hour, via, proven})
}

// again notes that a node that is known answered once more. Called with mu held.
func (a *Atlas) again(net netip.Prefix, e entry, via string, hour uint32) {
	proven := e.proven || apart(e.via, via)
	if proven != e.proven || e.hour < hour {
		a.news = true
	}
	if e.via == "" {
		e.via = via
	}
	a.known[net] = entry{e.node, max(e.hour, hour), e.via, proven}
}

// note remembers a node that answered once; when there are too many, any one makes room. Called
// with mu held.
func (a *Atlas) note(n netip.AddrPort, via string) {
	for old := range a.fresh {
		if len(a.fresh) < maxFresh {
			break
		}
		delete(a.fresh, old)
	}
	a.fresh[n] = via
}

// keep takes a node in. When there is no room the one that was silent longest makes it, of those
// not proven if there are any; what is not proven takes no place of what is. Called with mu held.
func (a *Atlas) keep(net netip.Prefix, e entry) {
	if _, taken := a.known[net]; !taken && len(a.known) >= maxKnown {
		var out netip.Prefix
		for p, o := range a.known {
			if !out.IsValid() || worse(o, a.known[out]) {
				out = p
			}
		}
		if a.known[out].proven && !e.proven {
			return
		}
		delete(a.known, out)
	}
	a.known[net], a.news = e, true
}

// worse reports whether an entry goes before another when there is no room.
func worse(e, than entry) bool {
	if e.proven != than.proven {
		return !e.proven
	}
	return e.hour < than.hour
}

// Probed takes in how many nodes were to show an item that we had stored there before, and how many
// did. It is not saved.
func (a *Atlas) Probed(kept, probed int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range probed {
		a.kept, a.probed = a.kept*probeMemory, a.probed*probeMemory+1
	}
	a.kept += float64(kept)
}

// Wary reports whether most nodes do not keep what they are given: more than leave and are replaced
// within the hour in which an item is stored anew.
func (a *Atlas) Wary() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.probed >= probesLeast && a.kept < a.probed*2/5
}

// Size estimates how many nodes the network has; 0 when too few walks were made yet.
func (a *Atlas) Size() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sizes) < sizeLeast {
		return 0
	}
	sorted := slices.Sorted(slices.Values(a.sizes))
	return sorted[len(sorted)*3/4]
}

// Seeds returns at most n of the proven nodes, chosen anew each time: they may be passed on.
func (a *Atlas) Seeds(n int) []netip.AddrPort { return a.choose(n, true) }

// Own returns at most n of the nodes that are known but not proven, chosen anew each time: to begin
// walks with when there are few others, and never to be passed on.
func (a *Atlas) Own(n int) []netip.AddrPort { return a.choose(n, false) }

func (a *Atlas) choose(n int, proven bool) []netip.AddrPort {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]netip.AddrPort, 0, len(a.known))
	for _, e := range a.known {
		if e.proven == proven {
			out = append(out, e.node)
		}
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:min(n, len(out))]
}

// network is the block of addresses that counts as one owner's.
func network(ip netip.Addr) netip.Prefix {
	bits := 16
	if ip.Is6() {
		bits = 32
	}
	p, _ := ip.Prefix(bits) // in range for both kinds
	return p
}

func hours(t time.Time) uint32 { return uint32(max(0, t.Unix()/3600)) }
