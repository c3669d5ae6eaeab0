// What others tell us of the network: hints and bundles. It takes only what room is left.

package book

import (
	"net/netip"
	"slices"

	"nightjar/node/card"
)

const (
	// HintGateways is how many gateways one contact can tell us of in all.
	HintGateways = 4
	// HintNodes is the same for DHT nodes.
	HintNodes = 8

	hintHours = 12 // between two hints of one contact that bring something
)

// Told is what a contact has told us of so far.
type Told struct {
	Gateways uint8 `cbor:"0,keyasint,omitempty"`
	Nodes    uint8 `cbor:"1,keyasint,omitempty"`
	Hour     int64 `cbor:"2,keyasint,omitempty"` // when it last did, hours since 1970

	Bridge  string `cbor:"3,keyasint,omitempty"` // a line it offers: TakeBridge
	Bridged int64  `cbor:"4,keyasint,omitempty"` // when it did, hours since 1970
	Offered int64  `cbor:"5,keyasint,omitempty"` // when we last offered it one
}

// TakeHint takes in gateways and DHT nodes that a contact told of at that hour since 1970, and
// reports whether any was new. They evict nothing, fill no more than half of what there is room
// for, so that cards and bundles find some too, and are never passed on.
func (b *Book) TakeHint(from card.Address, gateways []card.Gateway, nodes []netip.AddrPort,
	hour int64) bool {
	c, err := b.ByAddress(from)
	if err != nil || soon(c.Told.Hour, hour) {
		return false
	}
	was := c.Told
	for _, g := range gateways {
		if c.Told.Gateways < HintGateways && b.tryGateway(g, MaxGateways/2) {
			c.Told.Gateways++
		}
	}
	for _, a := range nodes {
		if c.Told.Nodes < HintNodes && b.takeNode(c, a, maxNodes/2) {
			c.Told.Nodes++
		}
	}
	if c.Told == was {
		return false
	}
	c.Told.Hour = hour
	return true
}

// soon reports whether too little time has passed since the hour before, if there was one.
func soon(before, hour int64) bool {
	return before > 0 && hour >= before && hour < before+hintHours
}

// TryGateway is LearnGateway that evicts nothing; it reports whether the gateway was new and there
// was room.
func (b *Book) TryGateway(g card.Gateway) bool { return b.tryGateway(g, MaxGateways) }

// TryNode is TryGateway for a DHT node.
func (b *Book) TryNode(a netip.AddrPort) bool { return b.tryNode(a, maxNodes) }

// TryRelay is TryGateway for a pkarr relay: our cards and bundles do not pass it on.
func (b *Book) TryRelay(url string) bool {
	return !slices.Contains(b.Relays, url) && try(&b.Lent, url, maxRelays)
}

// tryGateway remembers a gateway that nobody asked for if fewer than limit are learned; it reports
// whether it did.
func (b *Book) tryGateway(g card.Gateway, limit int) bool {
	return !slices.Contains(b.Gateways, g) && try(&b.Learned, g, limit)
}

// tryNode is tryGateway for a DHT node.
func (b *Book) tryNode(a netip.AddrPort, limit int) bool { return try(&b.Nodes, a, limit) }

// try appends what is new to a list that is shorter than limit, and reports whether it did.
func try[T comparable](list *[]T, v T, limit int) bool {
	if len(*list) >= limit || slices.Contains(*list, v) {
		return false
	}
	*list = append(*list, v)
	return true
}
