// Invitations to us: collected, accepted, refused.

package node

import (
	"context"
	"errors"
	"time"

	"nightjar/keystore"
	"nightjar/node/book"
	"nightjar/node/card"
)

// SetOpen says whether those who know only our address, and hold no card, may ask to be in touch.
// It is off at first: everybody who knows the address can find that inbox, and DHT nodes placed
// there would see when somebody looks into it, which is when we are there.
func (n *Node) SetOpen(open bool) error {
	err := n.change(func(b *book.Book) error {
		if b.Open == open {
			return errUnchanged
		}
		b.Open = open
		return nil
	})
	if err == nil {
		poke(n.inboxPoke)
	}
	return err
}

// inboxWaits is how long to wait between looks into the inboxes after a card was shown or a check
// was asked for; the last is kept up for ever.
var inboxWaits = [...]time.Duration{15 * time.Second, 30 * time.Second, time.Minute,
	2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute}

// watchInboxes looks for invitations in the inboxes of our cards.
func (n *Node) watchInboxes(ctx context.Context) {
	step := 0
	for ctx.Err() == nil {
		n.collect(ctx)
		wait := inboxWaits[min(step, len(inboxWaits)-1)]
		step++
		again, before := lookAgain(wait), time.Now()
		if !pause(ctx, again, n.inboxPoke) {
			return
		}
		if time.Since(before) < again {
			step = 0 // poked
		}
	}
}

// collect takes in every invitation that lies in one of our inboxes now, those of our cards and the
// open one of our address if we let it be.
func (n *Node) collect(ctx context.Context) {
	var cards []book.Issued
	ready := false
	n.look(func(b *book.Book) {
		cards = append(cards, b.Cards...)
		if b.Open {
			cards = append(cards, book.Issued{Inbox: card.OpenInbox(n.self),
				Expires: time.Now().Add(time.Hour)})
		}
		ready = n.packets != nil || len(b.Roads()) > 0
	})
	for _, c := range cards {
		if !ready || time.Now().After(c.Expires) {
			continue
		}
		one, cancel := context.WithTimeout(ctx, meetTime)
		found, err := n.meet.Collect(one, c.Inbox)
		cancel()
		if err != nil && ctx.Err() == nil {
			n.feed.tell(Event{Kind: EventProgress,
				Text: "looking for invitations failed: " + why(err)})
		}
		for _, sealed := range found {
			n.takeIn(sealed, c.Inbox)
		}
	}
}

// errKnown says that an invitation brings nothing new.
var errKnown = errors.New("invitation is known")

// takeIn opens one invitation and remembers who asks. Nothing is sent.
func (n *Node) takeIn(sealed []byte, inbox [32]byte) {
	inv, err := card.OpenInvitation(sealed, n.id.Exchanger(), n.self, inbox)
	if err != nil || inv.From == n.self {
		return
	}
	if _, err := keystore.AgreementKeyOf(inv.From); err != nil {
		return
	}
	hint, err := inv.Reach.MarshalBinary()
	if err != nil {
		return
	}
	name, mutual := "", false
	err = n.change(func(b *book.Book) error {
		if b.Settled(inv.PSK) || b.IsBlocked(inv.From) {
			return errKnown
		}
		if c, err := b.ByAddress(inv.From); err == nil {
			if mutual = b.MeetBy(inbox, c, inv.PSK, hint); !mutual {
				return errKnown
			}
			return nil
		}
		name = b.FreeName(inv.Name)
		return b.Add(book.Contact{Name: name, Address: inv.From, Standing: book.Asking,
			PSK: inv.PSK, Hint: hint, Greeting: inv.Greeting, Inbox: inbox})
	})
	switch {
	case errors.Is(err, book.ErrAsking):
		n.feed.tell(Event{Kind: EventProgress,
			Text: "somebody asks, but too many wait for an answer: accept or refuse some"})
	case err != nil:
	case mutual:
		poke(n.rosterPoke) // the pair may be another now
	default:
		n.feed.tell(Event{Kind: EventInvitation, Contact: name})
	}
}

// Accept makes an asking contact an accepted one, under another name if as is given.
func (n *Node) Accept(name, as string) error {
	if err := n.change(func(b *book.Book) error { return b.Accept(name, as) }); err != nil {
		return err
	}
	poke(n.rosterPoke)
	return nil
}

// Refuse forgets an asking contact. Nothing is sent: it looks as if we were away.
func (n *Node) Refuse(name string) error {
	return n.change(func(b *book.Book) error { return b.Refuse(name) })
}

// Block forgets an asking contact, and whoever has its address cannot ask again until we invite it.
// Nothing is sent: it looks as if we were away.
func (n *Node) Block(name string) error {
	return n.change(func(b *book.Book) error { return b.Block(name) })
}

// Remove forgets a contact and what was said with it, and replaces the onion service it knew, so
// that it cannot even see whether we are there. DHT nodes that it alone named are forgotten too.
func (n *Node) Remove(name string) error {
	var before, after uint32
	err := n.change(func(b *book.Book) error {
		before = b.Service
		gone := b.Alone(name)
		if err := b.Remove(name); err != nil {
			return err
		}
		if n.atlas != nil && n.atlas.Forget(gone) {
			b.Atlas, _ = n.atlas.Encode()
		}
		after = b.Service
		return nil
	})
	if err != nil {
		return err
	}
	poke(n.rosterPoke)
	if before != after {
		n.road.Renew()
	}
	return nil
}
