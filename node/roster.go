// The keepers: one for each contact we want to be in touch with.

package node

import (
	"context"
	"math/rand/v2"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet"
)

const (
	publishRetry = 30 * time.Second // after a publication too few nodes took
	meetTime     = 2 * time.Minute  // for one operation on the DHT
)

// keepRoster runs one keeper for every contact we want to be in touch with, and ends those of
// contacts that are gone.
func (n *Node) keepRoster(ctx context.Context) {
	keepers := map[card.Address]context.CancelFunc{}
	defer func() {
		for _, stop := range keepers {
			stop()
		}
	}()
	for ctx.Err() == nil {
		wanted := n.wanted()
		for a, stop := range keepers {
			if !wanted[a] {
				stop()
				delete(keepers, a)
				n.unlink(a)
			}
		}
		for a := range wanted {
			if keepers[a] == nil {
				keepers[a] = n.keep(ctx, a)
			}
		}
		select {
		case <-ctx.Done():
		case <-n.rosterPoke:
		}
	}
}

// wanted lists the contacts that need a keeper.
func (n *Node) wanted() map[card.Address]bool {
	out := map[card.Address]bool{}
	n.look(func(b *book.Book) {
		for _, c := range b.Contacts {
			if c.Standing != book.Asking {
				out[c.Address] = true
			}
		}
	})
	return out
}

// keep starts the keeper of one contact: it publishes where we are, leaves our invitation if
// it still has to be left, and looks for the contact.
func (n *Node) keep(ctx context.Context, a card.Address) context.CancelFunc {
	ctx, cancel := context.WithCancel(ctx)
	n.mu.Lock()
	wake := make(chan struct{}, 1)
	n.pokes[a] = wake
	n.mu.Unlock()
	published := make(chan struct{})
	n.crew.spawn(func(context.Context) { n.keepPublished(ctx, a, published) })
	n.crew.spawn(func(context.Context) { n.keepInvited(ctx, a, published) })
	n.crew.spawn(func(context.Context) { n.keepLinked(ctx, a, wake) })
	return cancel
}

// keepPublished puts our reach record for one contact into the DHT, now and about each hour. It
// closes first after the first success.
func (n *Node) keepPublished(ctx context.Context, a card.Address, first chan struct{}) {
	select {
	case <-n.serviceUp:
	case <-ctx.Done():
		return
	}
	done := false
	for ctx.Err() == nil {
		haste := n.stirred()
		wait := time.Until(meet.Next(time.Now()))
		if err := n.publishTo(ctx, a); err != nil {
			wait = publishRetry + rand.N(publishRetry)
		} else {
			haste = nil
			if !done {
				done = true
				close(first)
			}
		}
		pause(ctx, wait, haste)
	}
}

func (n *Node) publishTo(ctx context.Context, a card.Address) error {
	c, p, err := n.contact(a)
	if err != nil {
		return err
	}
	r, err := n.reachOf(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
		Text: "storing where only this contact can find us, through a gateway"})
	_, err = n.meet.Publish(ctx, p.peer.Root, p.ours, r)
	if err != nil {
		n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
			Text: "storing failed: " + why(err)})
	}
	return err
}

// keepInvited leaves our invitation in the contact's inbox once, after our reach record can be
// found: whoever accepts finds us at once.
func (n *Node) keepInvited(ctx context.Context, a card.Address, published <-chan struct{}) {
	c, _, err := n.contact(a)
	if err != nil || c.Standing != book.Invited || c.Left {
		return
	}
	select {
	case <-published:
	case <-ctx.Done():
		return
	}
	for ctx.Err() == nil {
		haste := n.stirred()
		err := n.leaveInvitation(ctx, a)
		if err == nil {
			return
		}
		n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
			Text: "the invitation could not be left, again soon: " + why(err)})
		pause(ctx, publishRetry, haste)
	}
}
