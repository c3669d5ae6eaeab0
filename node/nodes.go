// What we know of the DHT: nodes that answered, kept in the vault; and cover for what we do there.

package node

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"nightjar/node/book"
	"nightjar/node/meet"
)

const (
	atlasEvery = time.Hour // each time is a write of the vault, if there is news
	atlasSeeds = 16        // nodes of the atlas with which a walk begins
	fewSeeds   = 8         // with fewer it begins with those of cards and bundles as well

	coverEvery = 45 * time.Minute // mean time between two operations that mean nothing
)

// ownMeeting is the DHT through the gateways in the book.
func (n *Node) ownMeeting() Meeting {
	m := &meet.Meeting{Carrier: &carrier{node: n}}
	if n.packets != nil {
		m.Carrier = &stroller{n}
	}
	n.atlas = &m.Atlas
	if len(n.book.Atlas) > 0 {
		_ = n.atlas.Decode(n.book.Atlas) // what cannot be read is learned anew
	}
	return m
}

// seeds are the DHT nodes a walk begins with: some that two gateways proved; if these are few, some
// that one showed us, and those of cards and bundles; and those the gateway named. The gateway
// could lead us astray anyhow. Those that one contact alone named are of use only while there are
// few others.
func (n *Node) seeds(named []netip.AddrPort) []netip.AddrPort {
	var alone []netip.AddrPort
	n.look(func(b *book.Book) { alone = b.Alone("") })
	out := n.atlas.Seeds(atlasSeeds)
	if !enough(out, alone) {
		out = append(out, n.atlas.Own(max(0, atlasSeeds-len(out)))...)
		n.look(func(b *book.Book) { out = append(out, b.Nodes...) })
	}
	return append(vouched(out, alone), named...)
}

// keepAtlas saves what was learned about the DHT now and then.
func (n *Node) keepAtlas(ctx context.Context) {
	for pause(ctx, about(atlasEvery), nil) {
		n.saveAtlas()
	}
}

func (n *Node) saveAtlas() {
	if n.atlas == nil {
		return
	}
	enough := len(n.atlas.Seeds(atlasSeeds)) == atlasSeeds
	if b, news := n.atlas.Encode(); news {
		_ = n.change(func(bk *book.Book) error { // or the next time
			if bk.Atlas = b; enough {
				bk.SpareNodes()
			}
			return nil
		})
	}
}

// coverTracks does what means nothing at random moments (a Poisson process), so that who counts the
// operations of one identity does not count its contacts.
func (n *Node) coverTracks(ctx context.Context) {
	m, ok := n.meet.(interface{ Cover(context.Context) error })
	if !ok {
		return
	}
	for pause(ctx, time.Duration(rand.ExpFloat64()*float64(coverEvery)), nil) {
		ready := false
		n.look(func(b *book.Book) { ready = n.packets != nil || len(b.Roads()) > 0 })
		if ready {
			one, cancel := context.WithTimeout(ctx, meetTime)
			_ = m.Cover(one) // nobody waits for it
			cancel()
		}
	}
}
