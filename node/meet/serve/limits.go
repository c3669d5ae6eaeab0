// How fast which address is answered. Pure.

package serve

import (
	"net/netip"
	"time"
)

// limits count in whole seconds and forget with each of them.
type limits struct {
	second time.Time
	all    int
	large  int
	host   map[netip.Addr]int
	items  map[netip.Addr]int
}

// owner is what counts as one address: of IPv6 a network of 64 bits.
func owner(a netip.Addr) netip.Addr {
	if a.Is6() {
		net64, _ := a.Prefix(64) // in range
		return net64.Addr()
	}
	return a
}

func (l *limits) turn(now time.Time) {
	if second := now.Truncate(time.Second); !second.Equal(l.second) {
		*l = limits{second: second, host: make(map[netip.Addr]int), items: make(map[netip.Addr]int)}
	}
}

// answer reports whether an address is answered now.
func (l *limits) answer(a netip.Addr, now time.Time) bool {
	l.turn(now)
	if l.all >= answersRate || l.host[owner(a)] >= hostRate {
		return false
	}
	l.all++
	l.host[owner(a)]++
	return true
}

// item reports whether an address that proved nothing gets an item now.
func (l *limits) item(a netip.Addr, now time.Time) bool {
	l.turn(now)
	if l.large >= largeRate || l.items[owner(a)] >= largeHost {
		return false
	}
	l.large++
	l.items[owner(a)]++
	return true
}
