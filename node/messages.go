// Messages: queued, sent, stored, acknowledged.

package node

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/talk"
)

func newID() (id talk.ID) {
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
	return id
}

// Send queues a text for a contact. When it returns the text is safe in the vault and is sent,
// again and again if need be, until the contact's engine has it safe too.
func (n *Node) Send(_ context.Context, contact, text string) (talk.ID, error) {
	id := newID()
	var a card.Address
	err := n.change(func(b *book.Book) error {
		c, err := b.Contact(contact)
		if err != nil {
			return err
		}
		a = c.Address
		return b.Queue(contact, id, text, time.Now())
	})
	if err != nil {
		return talk.ID{}, err
	}
	if l := n.linkTo(a); l != nil {
		poke(l.more)
	} else {
		n.wake(a)
	}
	return id, nil
}

// deliver sends over a link, each once and in order, the texts a contact has not acknowledged. It
// goes no faster than the link takes them: however many wait, they are no reason to give it up.
func (n *Node) deliver(ctx context.Context, a card.Address, l *link) {
	sent := map[talk.ID]bool{}
	for {
		var fresh []talk.ID
		waiting := n.pending(a)
		still := map[talk.ID]bool{}
		for _, m := range waiting {
			still[m.ID] = sent[m.ID]
		}
		sent = still
		for _, m := range waiting {
			if sent[m.ID] {
				continue
			}
			select {
			case l.texts <- talk.Record{Kind: talk.KindText, ID: m.ID[:], Text: m.Text}:
			case <-l.tun.Done():
				return
			case <-ctx.Done():
				return
			}
			sent[m.ID] = true
			if fresh = append(fresh, m.ID); len(fresh) == markEvery {
				n.markSent(a, fresh)
				fresh = fresh[:0]
			}
		}
		n.markSent(a, fresh)
		select {
		case <-l.more:
		case <-l.tun.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// markEvery is how many texts go out before the book says so: each time is a write of the vault.
const markEvery = 16

// markSent remembers what was handed to a tunnel. It is sent again if that is lost.
func (n *Node) markSent(a card.Address, ids []talk.ID) {
	_ = n.change(func(b *book.Book) error {
		c, err := b.ByAddress(a)
		if err != nil {
			return err
		}
		changed := false
		for _, id := range ids {
			changed = b.Advance(c.Name, id, talk.Sent) || changed
		}
		if !changed {
			return errUnchanged
		}
		return nil
	})
}

// pending is what a contact has not acknowledged, oldest first.
func (n *Node) pending(a card.Address) (out []talk.Message) {
	n.look(func(b *book.Book) {
		if c, err := b.ByAddress(a); err == nil {
			out = b.Pending(c.Name)
		}
	})
	return out
}

// delivered remembers that a contact has a message of ours, and tells it once.
func (n *Node) delivered(a card.Address, id talk.ID) error {
	name := ""
	err := n.change(func(b *book.Book) error {
		c, err := b.ByAddress(a)
		if err != nil {
			return err
		}
		if !b.Advance(c.Name, id, talk.Delivered) {
			return errUnchanged
		}
		name = c.Name
		return nil
	})
	if err == nil && name != "" {
		n.feed.tell(Event{Kind: EventDelivered, Contact: name})
	}
	return err
}

// hear acts on one record of a contact. An error ends the link.
func (n *Node) hear(a card.Address, l *link, r talk.Record) error {
	c, _, err := n.contact(a)
	if err != nil {
		return err
	}
	switch r.Kind {
	case talk.KindText:
		return n.receive(a, l, r)
	case talk.KindAck:
		return n.delivered(a, talk.ID(r.ID))
	case talk.KindOffer:
		n.offered(a, c.Name, l, r)
		return nil
	case talk.KindHint:
		if !n.takeOffer(a, r) {
			n.takeHint(a, l, r)
		}
		return nil
	case talk.KindMain, talk.KindLane:
		return talk.ErrRecord // only the first record of a stream
	}
	n.callRecord(a, r)
	return nil
}

// receive stores a text, then acknowledges it: what is acknowledged is on disk. What finds no room
// the contact keeps, and sends again over the next link; see makeRoom.
func (n *Node) receive(a card.Address, l *link, r talk.Record) error {
	name, fresh := "", false
	err := n.change(func(b *book.Book) error {
		c, err := b.ByAddress(a)
		if err != nil {
			return err
		}
		name = c.Name
		fresh, err = b.Receive(name, talk.ID(r.ID), r.Text, time.Now())
		if err == nil && !fresh {
			return errUnchanged
		}
		return err
	})
	switch {
	case errors.Is(err, book.ErrUnread), errors.Is(err, book.ErrFull):
		if l.missed.CompareAndSwap(false, true) {
			n.feed.tell(Event{Kind: EventProgress, Contact: name,
				Text: "no room for what comes: read what is unread"})
		}
		return nil
	case err != nil:
		return err
	}
	if err := l.say(talk.Record{Kind: talk.KindAck, ID: r.ID}); err != nil {
		return err
	}
	if fresh {
		n.feed.tell(Event{Kind: EventMessage, Contact: name})
		n.show(name, r.Text)
	}
	return nil
}

// makeRoom replaces the links on which texts came that could not be stored: over the next ones they
// come again.
func (n *Node) makeRoom() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.links {
		if l.missed.CompareAndSwap(true, false) {
			n.crew.spawn(func(context.Context) { _ = l.tun.Close() })
		}
	}
}

// shown is a text for the phone.
type shown struct{ contact, text string }

// shownRoom is how many texts wait for the phone; it does not see those beyond, which stay unread.
const shownRoom = 64

func (n *Node) show(contact, text string) {
	select {
	case n.shown <- shown{contact, text}:
	default:
	}
}

// showTexts hands texts to the phone one after the other, in the order they came.
func (n *Node) showTexts(ctx context.Context) {
	for {
		select {
		case s := <-n.shown:
			if n.phone != nil {
				n.phone.Deliver(s.contact, s.text)
			}
		case <-ctx.Done():
			return
		}
	}
}

// Messages returns what was said with a contact (with all, when contact is ""), oldest first. With
// mark, exactly those returned become read ones.
func (n *Node) Messages(contact string, mark bool) (out []book.Entry, err error) {
	err = n.change(func(b *book.Book) error {
		if contact != "" {
			if _, err := b.Contact(contact); err != nil {
				return err
			}
		}
		for _, e := range b.Messages {
			if contact == "" || e.With == contact {
				out = append(out, e)
			}
		}
		if !mark || !b.MarkRead(contact) {
			return errUnchanged
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if mark {
		n.makeRoom()
	}
	return out, nil
}

// MarkRead turns the messages with these ids into read ones: those that somebody has seen.
func (n *Node) MarkRead(ids []talk.ID) error {
	err := n.change(func(b *book.Book) error {
		if !b.MarkThese(ids) {
			return errUnchanged
		}
		return nil
	})
	if err == nil {
		n.makeRoom()
	}
	return err
}
