// Our cards: what each is good for, and how far it is used up.

package book

import (
	"slices"
	"time"
)

// Issued is a card we gave away. Whoever holds it can leave invitations in its inbox.
type Issued struct {
	Inbox   [32]byte  `cbor:"0,keyasint"`
	Expires time.Time `cbor:"1,keyasint"`
	Uses    uint32    `cbor:"2,keyasint,omitempty"` // how many may become contacts; 0: any number
	Used    uint32    `cbor:"3,keyasint,omitempty"` // how many did
	Bell    bool      `cbor:"4,keyasint,omitempty"` // it names a doorbell
}

// plain reports whether the card is one for everybody.
func (i Issued) plain() bool { return i.Uses == 0 && !i.Bell }

// Card returns the newest card for everybody that has not expired.
func (b *Book) Card(now time.Time) (Issued, bool) {
	for i := len(b.Cards) - 1; i >= 0; i-- {
		if now.Before(b.Cards[i].Expires) && b.Cards[i].plain() {
			return b.Cards[i], true
		}
	}
	return Issued{}, false
}

// Issue remembers a new card and forgets those that have expired; ErrCards when there are 32 that
// have not. Cards that share an inbox, as all of an identity in its owner's head do, are one: it is
// watched as long as the longest of them, and has a doorbell if one has.
func (b *Book) Issue(c Issued, now time.Time) error {
	kept := b.Cards[:0:0]
	for _, old := range b.Cards {
		switch {
		case !now.Before(old.Expires):
		case old.Inbox == c.Inbox:
			c.Bell = c.Bell || old.Bell
			if old.Expires.After(c.Expires) {
				c.Expires = old.Expires
			}
		default:
			kept = append(kept, old)
		}
	}
	if len(kept) >= maxCards {
		return ErrCards
	}
	b.Cards = append(kept, c)
	return nil
}

// Revoke forgets the card with that inbox, and those who ask by it; ErrNoCard if there is none.
func (b *Book) Revoke(inbox [32]byte) error {
	n := len(b.Cards)
	b.Cards = slices.DeleteFunc(b.Cards, func(c Issued) bool { return c.Inbox == inbox })
	if len(b.Cards) == n {
		return ErrNoCard
	}
	b.dismiss(inbox)
	return nil
}

// use counts that somebody has become a contact by the card with that inbox. A card that is used up
// is revoked.
func (b *Book) use(inbox [32]byte) {
	for i := range b.Cards {
		c := &b.Cards[i]
		if c.Inbox != inbox {
			continue
		}
		if c.Used++; c.Uses > 0 && c.Used >= c.Uses {
			_ = b.Revoke(inbox) // it is there
		}
		return
	}
}

// dismiss refuses all who ask by the card with that inbox.
func (b *Book) dismiss(inbox [32]byte) {
	for _, c := range slices.Clone(b.Contacts) {
		if c.Standing == Asking && c.Inbox == inbox {
			b.Settle(c.PSK)
			b.drop(c.Name)
		}
	}
}
