// Learned gateways: which of them proved themselves, and which give way to others.

package book

import (
	"slices"

	"nightjar/node/card"
)

// LearnGateway remembers a gateway that somebody's card named, and reports whether it is known now.
// It never takes the place of one the user gave, nor of one that proved itself: when there is no
// room it takes that of the oldest which has not. Our own cards do not pass it on: whoever reads
// them would learn whose cards we hold.
func (b *Book) LearnGateway(g card.Gateway) bool {
	if slices.Contains(b.Gateways, g) || slices.Contains(b.Learned, g) {
		return true
	}
	if len(b.Learned) >= MaxGateways {
		oldest := slices.IndexFunc(b.Learned, func(l card.Gateway) bool { return !b.proven(l) })
		if oldest < 0 {
			return false
		}
		b.Learned = slices.Delete(b.Learned, oldest, oldest+1)
	}
	b.Learned = append(b.Learned, g)
	return true
}

// Prove remembers that a learned gateway has answered at times far apart, and reports whether that
// is new.
func (b *Book) Prove(g card.Gateway) bool {
	if !slices.Contains(b.Learned, g) || b.proven(g) {
		return false
	}
	b.Proven = slices.DeleteFunc(b.Proven, func(p card.Gateway) bool {
		return !slices.Contains(b.Learned, p)
	})
	b.Proven = append(b.Proven, g)
	return true
}

// Doubt forgets that a gateway proved itself, and reports whether it had.
func (b *Book) Doubt(g card.Gateway) bool {
	was := b.proven(g)
	b.Proven = slices.DeleteFunc(b.Proven, func(p card.Gateway) bool { return p == g })
	return was
}

func (b *Book) proven(g card.Gateway) bool { return slices.Contains(b.Proven, g) }

// SpareNodes forgets the oldest of the DHT nodes from cards and bundles beyond half of what there
// is room for, and reports whether there were any. It is for who knows enough nodes that answered.
func (b *Book) SpareNodes() bool {
	spare := len(b.Nodes) - maxNodes/2
	if spare > 0 {
		b.Nodes = slices.Clone(b.Nodes[spare:])
	}
	return spare > 0
}
