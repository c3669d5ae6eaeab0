// Which DHT nodes contacts named: what one alone named goes when it goes, and is used last.

package book

import (
	"net/netip"
	"slices"

	"nightjar/node/card"
)

// maxNamed is how many DHT nodes one contact can name, on its card and by hints.
const maxNamed = 16

// TakeNodes takes in DHT nodes of a contact's card, as far as there is room; ErrUnknown.
func (b *Book) TakeNodes(from card.Address, nodes []netip.AddrPort) error {
	c, err := b.ByAddress(from)
	if err != nil {
		return err
	}
	for _, a := range nodes {
		b.takeNode(c, a, maxNodes)
	}
	return nil
}

// takeNode takes in a DHT node that a contact named, if fewer than limit are there, and reports
// whether it was new. One that is there and that no contact named stays nobody's.
func (b *Book) takeNode(c *Contact, a netip.AddrPort, limit int) bool {
	if len(c.Named) >= maxNamed || slices.Contains(c.Named, a) {
		return false
	}
	fresh := b.tryNode(a, limit)
	if fresh || b.names()[a] > 0 {
		c.Named = append(c.Named, a)
	}
	return fresh
}

// names counts the contacts that named each node.
func (b *Book) names() map[netip.AddrPort]int {
	by := map[netip.AddrPort]int{}
	for _, c := range b.Contacts {
		for _, a := range c.Named {
			by[a]++
		}
	}
	return by
}

// Alone lists the DHT nodes that one contact alone named; whichever, or the one of that name.
func (b *Book) Alone(name string) (out []netip.AddrPort) {
	by := b.names()
	for _, c := range b.Contacts {
		for _, a := range c.Named {
			if by[a] == 1 && (name == "" || c.Name == name) {
				out = append(out, a)
			}
		}
	}
	return out
}
