// Messages: queued, sent, stored, acknowledged.

package node

import (
	"context"
	"crypto/rand"
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
	if n.linkTo(a) != nil {
		n.sendOne(a, contact, talk.Message{ID: id, Text: text})
	} else {
		n.wake(a)
	}
	return id, nil
}

// flush sends what a contact has not acknowledged.
func (n *Node) flush(a card.Address) {
	var name string
	var pending []talk.Message
	n.look(func(b *book.Book) {
		if c, err := b.ByAddress(a); err == nil {
			name = c.Name
			pending = b.Pending(name)
		}
	})
	for _, m := range pending {
		n.sendOne(a, name, m)
	}
}

func (n *Node) sendOne(a card.Address, name string, m talk.Message) {
	if n.say(a, talk.Record{Kind: talk.KindText, ID: m.ID[:], Text: m.Text}) != nil {
		return // still queued
	}
	_ = n.change(func(b *book.Book) error {
		b.Advance(name, m.ID, talk.Sent)
		return nil
	})
}

// hear acts on one record of a contact. An error ends the link.
func (n *Node) hear(ctx context.Context, a card.Address, l *link, r talk.Record) error {
	c, _, err := n.contact(a)
	if err != nil {
		return err
	}
	switch r.Kind {
	case talk.KindText:
		return n.receive(a, c.Name, r)
	case talk.KindAck:
		return n.acknowledged(c.Name, talk.ID(r.ID))
	case talk.KindOffer:
		n.offered(ctx, a, c.Name, l, r)
		return nil
	case talk.KindMain, talk.KindLane:
		return talk.ErrRecord // only the first record of a stream
	}
	n.callRecord(c.Name, r)
	return nil
}

// receive stores a text, then acknowledges it: what is acknowledged is on disk.
func (n *Node) receive(a card.Address, name string, r talk.Record) error {
	fresh := false
	err := n.change(func(b *book.Book) error {
		fresh = b.Receive(name, talk.ID(r.ID), r.Text, time.Now())
		return nil
	})
	if err != nil {
		return err // not acknowledged: the contact keeps it
	}
	if err := n.say(a, talk.Record{Kind: talk.KindAck, ID: r.ID}); err != nil {
		return err
	}
	if fresh {
		n.feed.tell(Event{Kind: EventMessage, Contact: name})
		if n.phone != nil {
			text := r.Text
			n.crew.spawn(func(context.Context) { n.phone.Deliver(name, text) })
		}
	}
	return nil
}

func (n *Node) acknowledged(name string, id talk.ID) error {
	changed := false
	err := n.change(func(b *book.Book) error {
		changed = b.Advance(name, id, talk.Delivered)
		return nil
	})
	if err == nil && changed {
		n.feed.tell(Event{Kind: EventDelivered, Contact: name})
	}
	return err
}

// Messages returns what was said with a contact (with all, when contact is ""), oldest first. With
// mark, unread messages become read ones once they are returned.
func (n *Node) Messages(contact string, mark bool) ([]book.Entry, error) {
	var out []book.Entry
	unread := false
	var err error
	n.look(func(b *book.Book) {
		if contact != "" {
			if _, err = b.Contact(contact); err != nil {
				return
			}
		}
		for _, e := range b.Messages {
			if contact == "" || e.With == contact {
				out = append(out, e)
				unread = unread || e.Message.State == talk.Unread
			}
		}
	})
	if err != nil || !mark || !unread {
		return out, err
	}
	return out, n.change(func(b *book.Book) error { b.MarkRead(contact); return nil })
}
