// Crowds: how dense the nodes stand, and what to do where they stand far too dense.
//
// Ids are spread evenly, so the 8th nearest of N nodes stands at about 8/N of the ring from any
// target. Whoever wants to swallow an item puts many nodes nearer to its target than that. A target
// that nobody can foresee is safe from it; that of an inbox may be known. There a walk asks and
// stores everywhere within 8/N, hostile or not, so that the honest nodes that belong there are
// among them. It learns of them by asking about random ids nearby: about the target itself even
// honest nodes name only the crowd.

package walk

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// These are too many: 20 nodes where 8 are expected come by chance once in 3900 walks, 8 where 2
// are expected once in 900.
const (
	crowded  = 20
	packed   = near
	packedIn = 2
)

// maxScouts is how often a walk asks about the neighbourhood.
const maxScouts = 64

// gap is the distance from the target, as a part of the ring.
func (w *walk) gap(p *peer) float64 {
	x := binary.BigEndian.Uint64(p.id[:]) ^ binary.BigEndian.Uint64(w.target[:])
	return float64(x) / (1 << 64)
}

// within reports whether p stands so near that only n nodes are expected there.
func (w *walk) within(p *peer, n float64) bool {
	return p.named && w.kind(p) == w.main() && w.network() > near && w.gap(p)*w.network() <= n
}

// count notes a node that became known.
func (w *walk) count(p *peer) {
	if w.within(p, near) {
		w.inside++
	}
	if w.within(p, packedIn) {
		w.close++
	}
}

// besieged reports whether far too many nodes are near.
func (w *walk) besieged() bool { return w.inside >= crowded || w.close >= packed }

// belongs reports whether p is to be asked and to store because the target is besieged.
func (w *walk) belongs(p *peer) bool { return w.besieged() && w.within(p, near) }

// network is the size of the network as far as it is known. It is known of IPv4 alone.
func (w *walk) network() float64 {
	if w.main() != ip4 {
		return 0
	}
	return w.road.Size
}

// beyond reports whether p stands so far away that nobody looks for the item there.
func (w *walk) beyond(p *peer) bool {
	return w.kind(p) == w.main() && w.network() > near && !w.within(p, float64(4*w.wide()))
}

// size estimates how many nodes the network has, from how near the nearest are; 0 if too few are.
func (w *walk) size() float64 {
	if w.main() != ip4 {
		return 0
	}
	nearest := w.nearest(ip4, near)
	if len(nearest) < near || w.gap(nearest[near-1]) == 0 {
		return 0
	}
	return (near - 1) / w.gap(nearest[near-1])
}

// scout returns the next node to ask about the neighbourhood, those that stand outside it first, or
// nil: if there is no siege, or all were asked.
func (w *walk) scout() *peer {
	if !w.besieged() || w.scouts >= maxScouts {
		return nil
	}
	for i := len(w.answered) - 1; i >= 0; i-- {
		if p := w.answered[i]; !p.helped {
			p.helped = true
			w.scouts++
			return &peer{addr: p.addr, asked: time.Now(), scout: true}
		}
	}
	return nil
}

// nearby returns a random id of the neighbourhood.
func (w *walk) nearby() [20]byte {
	var id [20]byte
	rand.Read(id[:])
	part := near / w.road.Size * (1 << 64) // below 1 << 64, for Size is above near
	x := binary.BigEndian.Uint64(id[:]) % uint64(part)
	binary.BigEndian.PutUint64(id[:], x^binary.BigEndian.Uint64(w.target[:]))
	return id
}
