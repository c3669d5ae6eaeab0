// The keepers: one for each contact we want to be in touch with.

package node

import (
	"context"
	"math/rand/v2"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
)

const (
	meetTime = 2 * time.Minute // for one operation on the DHT

	// At the start the contacts are looked after at random moments within apart for each, spread at
	// most: whoever sees the slots asked for, a gateway say, shall not see them all at one moment.
	apart  = 5 * time.Second
	spread = time.Minute

	leastWait = time.Second // between two times of storing for one contact
)

// retryWaits is how long to wait after an operation on the DHT failed; the last is kept up.
var retryWaits = [...]time.Duration{30 * time.Second, time.Minute, 2 * time.Minute,
	5 * time.Minute, 10 * time.Minute}

// retryAfter is how long to wait after the step-th failure in a row.
func retryAfter(step int) time.Duration { return about(retryWaits[min(step, len(retryWaits)-1)]) }

// about is d give or take a quarter.
func about(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2) }

// keeper is what others may tell those who keep one contact.
type keeper struct {
	haste  chan struct{} // holds one when somebody waits for the contact
	linked chan struct{} // holds one when a tunnel came, whoever dialled
	psk    [32]byte      // of the pair that is kept
	stop   context.CancelFunc
}

// keepRoster runs one keeper for every contact we want to be in touch with, and ends those of
// contacts that are gone or have become another pair.
func (n *Node) keepRoster(ctx context.Context) {
	keepers := map[card.Address]*keeper{}
	defer func() {
		for _, k := range keepers {
			k.stop()
		}
	}()
	wait := min(spread, time.Duration(len(n.wanted())-1)*apart)
	for ctx.Err() == nil {
		wanted := n.wanted()
		for a, k := range keepers {
			if psk, ok := wanted[a]; !ok || psk != k.psk {
				k.stop()
				delete(keepers, a)
				n.unlink(a)
			}
		}
		for a, psk := range wanted {
			if keepers[a] == nil {
				keepers[a] = n.keep(ctx, a, psk, wait)
			}
		}
		wait = 0
		select {
		case <-ctx.Done():
		case <-n.rosterPoke:
		}
	}
}

// wanted lists the contacts that need a keeper, with the pre-shared key of each.
func (n *Node) wanted() map[card.Address][32]byte {
	out := map[card.Address][32]byte{}
	n.look(func(b *book.Book) {
		for _, c := range b.Contacts {
			if c.Standing != book.Asking {
				out[c.Address] = c.PSK
			}
		}
	})
	return out
}

// keep starts the keeper of one contact within wait: it publishes where we are, leaves our
// invitation if it still has to be left, and looks for the contact.
func (n *Node) keep(ctx context.Context, a card.Address, psk [32]byte, wait time.Duration) *keeper {
	ctx, cancel := context.WithCancel(ctx)
	k := &keeper{haste: make(chan struct{}, 1), linked: make(chan struct{}, 1), psk: psk,
		stop: cancel}
	n.mu.Lock()
	n.keepers[a] = k
	n.mu.Unlock()
	delay := func() time.Duration { return rand.N(max(wait, 1)) }
	published := make(chan struct{})
	n.crew.spawn(func(context.Context) {
		pause(ctx, delay(), n.stirred())
		n.keepPublished(ctx, a, published)
	})
	n.crew.spawn(func(context.Context) { n.keepInvited(ctx, a, published) })
	n.crew.spawn(func(context.Context) {
		pause(ctx, delay(), k.haste)
		n.keepLinked(ctx, a, k)
	})
	return k
}

// keepPublished puts our reach record for one contact into the DHT, now, when a slot of it is due,
// and when we have become reachable elsewhere. Each slot has times of its own: what is stored
// together can be seen to belong together. It closes first after the first success.
func (n *Node) keepPublished(ctx context.Context, a card.Address, first chan struct{}) {
	select {
	case <-n.road.Ready():
	case <-ctx.Done():
		return
	}
	done := false
	for step := 0; ctx.Err() == nil; step++ {
		haste, moved := n.stirred(), n.road.Moved()
		due, err := n.publishTo(ctx, a)
		wait := max(time.Until(due), leastWait)
		if err != nil {
			wait = retryAfter(step)
		} else {
			step, haste = -1, moved
			if !done {
				done = true
				close(first)
			}
		}
		pause(ctx, wait, haste)
	}
}

// publishTo stores what is due of our record for one contact, and returns when more will be.
func (n *Node) publishTo(ctx context.Context, a card.Address) (time.Time, error) {
	c, p, err := n.contact(a)
	if err != nil {
		return time.Time{}, err
	}
	r, err := n.reachOf(c)
	if err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
		Text: "storing where only this contact can find us, " + n.through()})
	_, err = n.meet.Publish(ctx, p.peer.Root, p.ours, r)
	if err != nil {
		n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
			Text: "storing failed: " + why(err)})
		return time.Time{}, err
	}
	return n.meet.Due(p.peer.Root, p.ours), nil
}
