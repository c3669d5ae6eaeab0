// The other nodes that we know (BEP5): each has answered us. Pure.

package serve

import (
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// node is another node of the DHT.
type node struct {
	id     [20]byte
	addr   netip.AddrPort
	heard  time.Time // when it answered last
	failed int       // questions since then that it did not answer
}

// table holds at most a bucket of nodes for each distance from us, and one of each network.
type table struct {
	self  [20]byte
	nodes []*node
	nets  map[netip.Prefix]bool
}

func newTable(self [20]byte) *table { return &table{self: self, nets: make(map[netip.Prefix]bool)} }

// network is what counts as one owner's, as in package walk.
func network(a netip.Addr) netip.Prefix {
	bits := 16
	if a.Is6() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // in range for both kinds
	return p
}

// nearer reports whether a is nearer to the target than b (XOR).
func nearer(a, b, target [20]byte) bool {
	for i := range target {
		if x, y := a[i]^target[i], b[i]^target[i]; x != y {
			return x < y
		}
	}
	return false
}

// shared is how many bits an id has in common with ours.
func (t *table) shared(id [20]byte) int {
	for i := range id {
		if x := id[i] ^ t.self[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return 160
}

func (t *table) find(a netip.AddrPort) *node {
	for _, n := range t.nodes {
		if n.addr == a {
			return n
		}
	}
	return nil
}

// room reports whether a node of that id and address would be taken.
func (t *table) room(id [20]byte, a netip.AddrPort) bool {
	if id == t.self || t.nets[network(a.Addr())] || len(t.nodes) >= maxNodes {
		return false
	}
	alike, depth := 0, t.shared(id)
	for _, n := range t.nodes {
		if t.shared(n.id) == depth {
			alike++
		}
	}
	return alike < bucket
}

// answered notes that a node answered, and takes it in if there is room.
func (t *table) answered(id [20]byte, a netip.AddrPort, now time.Time) {
	if n := t.find(a); n != nil {
		if n.id == id {
			n.heard, n.failed = now, 0
			return
		}
		t.drop(n) // it calls itself something else now
	}
	if t.room(id, a) {
		t.nodes = append(t.nodes, &node{id: id, addr: a, heard: now})
		t.nets[network(a.Addr())] = true
	}
}

// silent notes that a node did not answer: after two times it is forgotten.
func (t *table) silent(a netip.AddrPort) {
	if n := t.find(a); n != nil {
		if n.failed++; n.failed >= 2 {
			t.drop(n)
		}
	}
}

func (t *table) drop(n *node) {
	t.nodes = slices.DeleteFunc(t.nodes, func(o *node) bool { return o == n })
	delete(t.nets, network(n.addr.Addr()))
}

// nearest returns the nodes nearest to a target, at most n, without the one at an address.
func (t *table) nearest(target [20]byte, n int, but netip.AddrPort) []*node {
	out := slices.DeleteFunc(slices.Clone(t.nodes), func(o *node) bool { return o.addr == but })
	slices.SortFunc(out, func(a, b *node) int {
		if nearer(a.id, b.id, target) {
			return -1
		}
		return 1
	})
	return out[:min(n, len(out))]
}

// stale returns a node that was silent for long, or nil.
func (t *table) stale(now time.Time) *node {
	for _, n := range t.nodes {
		if now.Sub(n.heard) > quietTime && n.failed == 0 || n.failed == 1 {
			return n
		}
	}
	return nil
}
