// Messages, and how far they have come.

package book

import (
	"slices"
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

// maxUnread is how many bytes of unread messages one contact may fill: a quarter of a vault's
// slot, so that one who floods us does not silence the others.
const maxUnread = 64 << 10

// Receive stores a contact's text as Unread. It reports false, and stores nothing, for a text
// that came before. It returns ErrUnread when the contact has to wait until we have read some.
func (b *Book) Receive(with string, id talk.ID, text string, now time.Time) (bool, error) {
	if _, err := b.Contact(with); err != nil {
		return false, err
	}
	fresh := Entry{With: with, Message: talk.Message{
		ID: id, Text: text, At: now.Truncate(time.Second), State: talk.Unread}}
	unread := fresh.size()
	for _, e := range b.Messages {
		if e.With != with || e.Message.Out {
			continue
		}
		if e.Message.ID == id {
			return false, nil
		}
		if e.Message.State == talk.Unread {
			unread += e.size()
		}
	}
	if unread > maxUnread {
		return false, ErrUnread
	}
	b.Messages = append(b.Messages, fresh)
	return true, nil
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

// MarkRead turns the unread messages of a contact, or of all when with is "", into read ones. It
// reports whether there were any.
func (b *Book) MarkRead(with string) bool {
	any := false
	for i := range b.Messages {
		m := &b.Messages[i].Message
		if (with == "" || b.Messages[i].With == with) && m.State == talk.Unread {
			m.State, any = talk.Read, true
		}
	}
	return any
}

// MarkThese turns the unread messages with these ids into read ones. It reports whether there were
// any.
func (b *Book) MarkThese(ids []talk.ID) bool {
	any := false
	for i := range b.Messages {
		m := &b.Messages[i].Message
		if m.State == talk.Unread && slices.Contains(ids, m.ID) {
			m.State, any = talk.Read, true
		}
	}
	return any
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
