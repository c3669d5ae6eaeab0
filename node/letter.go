// Our invitation, from the vault into the contact's inbox.

package node

import (
	"context"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet"
)

const (
	letterFor  = 12 * time.Hour     // then an invitation is sealed anew: what it says grows old
	inviteTime = 7 * 24 * time.Hour // so long an invitation is left again and again
)

// letter is a sealed invitation. The same one, left again, takes the place it had.
type letter struct {
	sealed []byte
	reach  string // the place it names
	made   time.Time
}

// keepInvited leaves our invitation in the contact's inbox, first when our reach record can be
// found, so that whoever accepts finds us at once; and then about each hour for a week, since what
// lies in the DHT is gone after two. It ends when a tunnel has stood: not sooner, for of two who
// invited each other one may use the key of the other's invitation and must see it.
func (n *Node) keepInvited(ctx context.Context, a card.Address, published <-chan struct{}) {
	if !n.inviting(a) {
		return
	}
	select {
	case <-published:
	case <-ctx.Done():
		return
	}
	var l letter
	for step := 0; ctx.Err() == nil && n.inviting(a); step++ {
		haste := n.stirred()
		wait := time.Until(meet.Next(time.Now()))
		if err := n.leaveInvitation(ctx, a, &l); err != nil {
			wait = retryAfter(step)
			c, _, _ := n.contact(a)
			n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
				Text: "the invitation could not be left, again soon: " + why(err)})
		} else {
			step, haste = -1, nil
		}
		pause(ctx, wait, haste)
	}
}

// inviting reports whether our invitation still has to lie in the contact's inbox.
func (n *Node) inviting(a card.Address) bool {
	c, _, err := n.contact(a)
	until := time.Unix(c.Asked*3600, 0).Add(inviteTime)
	return err == nil && c.Ours() && !c.Met && (!c.Left || time.Now().Before(until))
}

// seal makes l the invitation as it stands now, unless it is that already.
func (n *Node) seal(l *letter, c book.Contact, p pair) error {
	r, err := n.reachOf(c)
	if err != nil {
		return err
	}
	if l.reach == place(r) && time.Since(l.made) < letterFor {
		return nil
	}
	inv := card.Invitation{From: n.self, Greeting: c.Greeting, PSK: c.PSK, Reach: r}
	n.look(func(b *book.Book) { inv.Name = b.Name })
	sealed, err := inv.Seal(c.Address, p.peer.Static, c.Inbox, n.id.Sign)
	if err == nil {
		*l = letter{sealed: sealed, reach: place(r), made: time.Now()}
	}
	return err
}

// leaveInvitation leaves our invitation in the contact's inbox, and remembers that it did.
func (n *Node) leaveInvitation(ctx context.Context, a card.Address, l *letter) error {
	c, p, err := n.contact(a)
	if err != nil {
		return err
	}
	if err := n.seal(l, c, p); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	if err := n.handIn(ctx, c, l.sealed); err != nil {
		return err
	}
	if c.Left {
		return nil
	}
	if err := n.change(func(b *book.Book) error {
		c, err := b.ByAddress(a)
		if err == nil {
			c.Left = true
		}
		return err
	}); err != nil {
		return err
	}
	n.feed.tell(Event{Kind: EventInvited, Contact: c.Name})
	return nil
}

// handIn brings a sealed invitation to the contact: to its doorbell if its card names one; to its
// inbox if not, or the doorbell does not answer, or the user wants both.
func (n *Node) handIn(ctx context.Context, c book.Contact, sealed []byte) error {
	rang := false
	if c.Bell != (card.Gateway{}) && n.path != nil {
		n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
			Text: "handing in the sealed invitation at the contact's doorbell"})
		rang = n.ring(ctx, c.Bell, sealed) == nil
	}
	if rang && !c.Both {
		return nil
	}
	n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
		Text: "leaving the sealed invitation in the contact's inbox, " + n.through()})
	if _, err := n.meet.Leave(ctx, c.Inbox, sealed); err != nil && !rang {
		return err
	}
	return nil
}
