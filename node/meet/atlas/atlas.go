// Package atlas keeps what walks taught about the DHT: how many nodes there are, and some that can
// be counted on to begin with. It is pure: it has no clock, sends nothing, and does not know what
// was looked for.
//
// A node is counted on when it answered on two roads. Of each network of 16 bits (32 of IPv6) one
// is kept, 200 in all, so that nobody who owns a network fills the atlas. Each identity has its
// own: what one has in common with another would tell that they are of one person.
//
// The bytes of an atlas, at most 4400, in any order, each node once:
//
//	offset size  what
//	0      1     version, 1
//	1      1     4 or 16, the size of the address that follows      \
//	2      4|16  address                                             | as often as there
//	..     2     port, not 0                                         | are nodes
//	..     4     when it answered last, hours since 1970 (UTC)      /
package atlas

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	maxProven  = 200
	maxFresh   = 400 // nodes that answered once; when there are more, any one makes room
	forgetTime = 30 * 24 * time.Hour

	// sizeMemory is how many walks are remembered. The estimate is their upper quartile: a walk
	// that missed some of the nearest makes the network look small, none makes it look large.
	sizeMemory = 16
	sizeLeast  = 4 // fewer walks say too little
)

// An Atlas is what is known of the network. The zero value knows nothing. It is safe for several
// goroutines.
type Atlas struct {
	mu     sync.Mutex
	sizes  []float64 // the last sizeMemory, oldest first
	fresh  map[netip.AddrPort]bool
	proven map[netip.Prefix]entry
	news   bool // the proven changed since Encode
}

// entry is a node that can be counted on.
type entry struct {
	node netip.AddrPort
	hour uint32 // when it answered last, since 1970
}

// Learn takes in what the walks of one road found: their estimates of the size of the network, and
// the nodes that answered.
func (a *Atlas) Learn(sizes []float64, heard []netip.AddrPort, now time.Time) {
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
			a.hear(n, hour)
		}
	}
	for net, e := range a.proven {
		if e.hour+uint32(forgetTime/time.Hour) < hour {
			delete(a.proven, net)
			a.news = true
		}
	}
}

func (a *Atlas) grow() {
	if a.fresh == nil {
		a.fresh, a.proven = make(map[netip.AddrPort]bool), make(map[netip.Prefix]entry)
	}
}

// hear notes that a node answered on a road. Called with mu held.
func (a *Atlas) hear(n netip.AddrPort, hour uint32) {
	net := network(n.Addr())
	if e, ok := a.proven[net]; ok {
		if e.node == n && e.hour < hour {
			a.proven[net], a.news = entry{n, hour}, true
		}
		return
	}
	if !a.fresh[n] {
		for old := range a.fresh {
			if len(a.fresh) < maxFresh {
				break
			}
			delete(a.fresh, old)
		}
		a.fresh[n] = true
		return
	}
	delete(a.fresh, n)
	a.prove(net, entry{n, hour})
}

// prove takes a node in; when there is no room the one that was silent longest makes it.
func (a *Atlas) prove(net netip.Prefix, e entry) {
	if len(a.proven) >= maxProven {
		var oldest netip.Prefix
		for p, o := range a.proven {
			if !oldest.IsValid() || o.hour < a.proven[oldest].hour {
				oldest = p
			}
		}
		delete(a.proven, oldest)
	}
	a.proven[net], a.news = e, true
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

// Seeds returns at most n of the nodes that can be counted on, chosen anew each time.
func (a *Atlas) Seeds(n int) []netip.AddrPort {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]netip.AddrPort, 0, len(a.proven))
	for _, e := range a.proven {
		out = append(out, e.node)
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
