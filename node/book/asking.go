// Those who ask to be in touch, and what becomes of them.

package book

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"nightjar/node/card"
)

// Limits of those who ask. The second keeps the holder of one card from shutting out those of the
// others. Whom the user was shown stays: when there is no room it is the newcomer who waits.
const (
	maxAsking     = 64
	maxAskingCard = 32
)

// Ours reports whether it was we who invited this contact. Inbox is then that of their card;
// while they ask, it is that of the card of ours they hold.
func (c *Contact) Ours() bool { return c.Standing != Asking && c.Inbox != [32]byte{} }

// roomToAsk is ErrAsking when nobody more may ask by a card of ours, or at all.
func (b *Book) roomToAsk(inbox [32]byte) error {
	all, same := 0, 0
	for _, c := range b.Contacts {
		if c.Standing == Asking {
			all++
			if c.Inbox == inbox {
				same++
			}
		}
	}
	if all >= maxAsking || same >= maxAskingCard {
		return ErrAsking
	}
	return nil
}

// Accept makes an asking contact an accepted one, under the given name if one is given, and gives
// it a seat.
func (b *Book) Accept(name, as string) error {
	c, err := b.Contact(name)
	if err != nil {
		return err
	}
	if c.Standing != Asking {
		return ErrState
	}
	if as != "" && as != name {
		if err := CheckName(as); err != nil {
			return err
		}
		if _, err := b.Contact(as); err == nil {
			return ErrNameTaken
		}
	} else {
		as = name
	}
	seat, err := b.freeSeat()
	if err != nil {
		return err
	}
	inbox := c.Inbox
	c.Name, c.Seat, c.Standing, c.Inbox = as, seat, Accepted, [32]byte{}
	b.use(inbox)
	return nil
}

// Refuse forgets an asking contact for good: the same invitation is not shown again.
func (b *Book) Refuse(name string) error {
	c, err := b.Contact(name)
	if err != nil {
		return err
	}
	if c.Standing != Asking {
		return ErrState
	}
	b.Settle(c.PSK)
	b.drop(name)
	return nil
}

// Settle remembers that the invitation with this pre-shared key has been dealt with: wherever it
// still lies, it is not shown again. The last 256 are remembered.
func (b *Book) Settle(psk [32]byte) {
	if b.Settled(psk) {
		return
	}
	b.Refused = append(b.Refused, mark(psk))
	if len(b.Refused) > maxRefused {
		b.Refused = b.Refused[1:]
	}
}

// Settled reports whether the invitation with this pre-shared key was dealt with before.
func (b *Book) Settled(psk [32]byte) bool {
	for _, r := range b.Refused {
		if r == mark(psk) {
			return true
		}
	}
	return false
}

func mark(psk [32]byte) [16]byte { return [16]byte(psk[:16]) }

// Block forgets an asking contact, and lets nobody of its address ask again.
func (b *Book) Block(name string) error {
	c, err := b.Contact(name)
	if err != nil {
		return err
	}
	m := markAddress(c.Address)
	if err := b.Refuse(name); err != nil {
		return err
	}
	b.Blocked = append(b.Blocked, m)
	b.Blocked = b.Blocked[max(0, len(b.Blocked)-maxBlocked):]
	return nil
}

// IsBlocked reports whether nobody of that address may ask.
func (b *Book) IsBlocked(a card.Address) bool { return slices.Contains(b.Blocked, markAddress(a)) }

// Unblock lets an address ask again.
func (b *Book) Unblock(a card.Address) {
	m := markAddress(a)
	b.Blocked = slices.DeleteFunc(b.Blocked, func(o [16]byte) bool { return o == m })
}

func markAddress(a card.Address) [16]byte {
	h := sha256.Sum256(append([]byte("nightjar blocked"), a[:]...))
	return [16]byte(h[:16])
}

// MeetBy is Contact.Meet for an invitation that came by a card of ours, which is thereby used.
func (b *Book) MeetBy(inbox [32]byte, c *Contact, psk [32]byte, hint []byte) bool {
	if !c.Meet(psk, hint) {
		return false
	}
	b.Settle(psk)
	b.use(inbox)
	return true
}

// Meet takes in an invitation from somebody we invited ourselves: both want to be in touch, so
// nobody needs to be asked. Of the two pre-shared keys both sides take the smaller. It reports
// false when nothing changes.
func (c *Contact) Meet(psk [32]byte, hint []byte) bool {
	if c.Standing != Invited || c.PSK == psk {
		return false
	}
	if bytes.Compare(psk[:], c.PSK[:]) < 0 {
		c.PSK = psk
	}
	c.Standing, c.Hint = Accepted, hint
	return true
}
