// Messages, and how far they have come.

package book

import (
	"time"

	"nightjar/node/talk"
)

// Queue stores a text of ours for a contact. It is Queued until Advance says otherwise.
func (b *Book) Queue(with string, id talk.ID, text string, now time.Time) error {
	if err := talk.CheckText(text); err != nil {
		return err
	}
	c, err := b.Contact(with)
	if err != nil {
		return err
	}
	if c.Standing == Asking {
		return ErrState
	}
	b.Messages = append(b.Messages, Entry{With: with, Message: talk.Message{
		ID: id, Out: true, Text: text, At: now.Truncate(time.Second), State: talk.Queued}})
	return nil
}

// Receive stores a contact's text as Unread. It reports false, and stores nothing, for a text
// that came before.
func (b *Book) Receive(with string, id talk.ID, text string, now time.Time) bool {
	for _, e := range b.Messages {
		if e.With == with && !e.Message.Out && e.Message.ID == id {
			return false
		}
	}
	b.Messages = append(b.Messages, Entry{With: with, Message: talk.Message{
		ID: id, Text: text, At: now.Truncate(time.Second), State: talk.Unread}})
	return true
}

// Advance moves a message of ours on to a later state; it reports whether anything changed.
func (b *Book) Advance(with string, id talk.ID, to talk.State) bool {
	for i := range b.Messages {
		m := &b.Messages[i].Message
		if b.Messages[i].With == with && m.Out && m.ID == id && m.State < to {
			m.State = to
			return true
		}
	}
	return false
}

// MarkRead turns the unread messages of a contact, or of all when with is "", into read ones.
func (b *Book) MarkRead(with string) {
	for i := range b.Messages {
		m := &b.Messages[i].Message
		if (with == "" || b.Messages[i].With == with) && m.State == talk.Unread {
			m.State = talk.Read
		}
	}
}

// Pending returns the messages of ours a contact has not acknowledged, oldest first.
func (b *Book) Pending(with string) []talk.Message {
	var out []talk.Message
	for _, e := range b.Messages {
		m := e.Message
		if e.With == with && m.Out && m.State < talk.Delivered {
			out = append(out, m)
		}
	}
	return out
}
