// Contacts, and the standing between us and them.

package book

import (
	"bytes"
	"strconv"

	"nightjar/node/card"
)

// Standing says how far we and a contact have come with each other.
type Standing uint8

// The standings.
const (
	Invited  Standing = 1 // we invited; no answer yet, and none may ever come
	Asking   Standing = 2 // they invited us; nothing leaves us before we accept
	Accepted Standing = 3 // both want to be in touch
)

// String is the standing in one word.
func (s Standing) String() string {
	switch s {
	case Invited:
		return "invited"
	case Asking:
		return "asking"
	case Accepted:
		return "accepted"
	}
	return "unknown"
}

// Contact is somebody we are, or may come to be, in touch with.
type Contact struct {
	Name     string       `cbor:"0,keyasint"` // ours for them, see CheckName
	Address  card.Address `cbor:"1,keyasint"`
	Standing Standing     `cbor:"2,keyasint"`
	PSK      [32]byte     `cbor:"3,keyasint"`           // made by the inviter, known to both
	Seat     uint16       `cbor:"4,keyasint"`           // their key of our onion service
	Hint     []byte       `cbor:"5,keyasint,omitempty"` // their invitation's card.Reach
	Greeting string       `cbor:"6,keyasint,omitempty"`
	Inbox    [32]byte     `cbor:"7,keyasint"`           // of the card we invited them by
	Left     bool         `cbor:"8,keyasint,omitempty"` // our invitation lies in their inbox
}

// CheckName refuses a name that could not stand in a SIP address or on a command line.
func CheckName(name string) error {
	if len(name) == 0 || len(name) > 32 || name[0] == '-' {
		return ErrName
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return ErrName
		}
	}
	return nil
}

// Contact returns the contact of that name.
func (b *Book) Contact(name string) (*Contact, error) {
	for i := range b.Contacts {
		if b.Contacts[i].Name == name {
			return &b.Contacts[i], nil
		}
	}
	return nil, ErrUnknown
}

// ByAddress returns the contact with that address.
func (b *Book) ByAddress(a card.Address) (*Contact, error) {
	for i := range b.Contacts {
		if b.Contacts[i].Address == a {
			return &b.Contacts[i], nil
		}
	}
	return nil, ErrUnknown
}

// Add takes a new contact in and gives it a free seat.
func (b *Book) Add(c Contact) error {
	if err := CheckName(c.Name); err != nil {
		return err
	}
	if _, err := b.Contact(c.Name); err == nil {
		return ErrNameTaken
	}
	if _, err := b.ByAddress(c.Address); err == nil {
		return ErrTwice
	}
	seat, ok := b.freeSeat()
	if !ok {
		return ErrTooMany
	}
	c.Seat = seat
	b.Contacts = append(b.Contacts, c)
	return nil
}

func (b *Book) freeSeat() (uint16, bool) {
	var taken [MaxContacts]bool
	for _, c := range b.Contacts {
		taken[c.Seat%MaxContacts] = true
	}
	for i, t := range taken {
		if !t {
			return uint16(i), true
		}
	}
	return 0, false
}

// Accept makes an asking contact an accepted one, under the given name if one is given.
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
		c.Name = as
	}
	c.Standing = Accepted
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
	b.Refused = append(b.Refused, mark(c.PSK))
	if len(b.Refused) > maxRefused {
		b.Refused = b.Refused[1:]
	}
	b.drop(name)
	return nil
}

// Remove forgets a contact, everything said with it, and the onion service it knew: every
// other contact gets a seat on the next one.
func (b *Book) Remove(name string) error {
	c, err := b.Contact(name)
	if err != nil {
		return err
	}
	if c.Standing != Asking {
		b.Service++
	}
	b.drop(name)
	return nil
}

func (b *Book) drop(name string) {
	contacts := b.Contacts[:0:0]
	for _, c := range b.Contacts {
		if c.Name != name {
			contacts = append(contacts, c)
		}
	}
	entries := b.Messages[:0:0]
	for _, e := range b.Messages {
		if e.With != name {
			entries = append(entries, e)
		}
	}
	b.Contacts, b.Messages = contacts, entries
}

// WasRefused reports whether the invitation with this pre-shared key was refused before.
func (b *Book) WasRefused(psk [32]byte) bool {
	for _, r := range b.Refused {
		if r == mark(psk) {
			return true
		}
	}
	return false
}

func mark(psk [32]byte) [16]byte { return [16]byte(psk[:16]) }

// FreeName makes a name that no contact has from what a stranger calls himself.
func (b *Book) FreeName(wish string) string {
	base := make([]byte, 0, 24)
	for i := 0; i < len(wish) && len(base) < 24; i++ {
		c := wish[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && len(base) > 0 {
			base = append(base, c)
		}
	}
	if len(base) == 0 {
		base = []byte("someone")
	}
	name := string(base)
	for i := 2; ; i++ {
		if _, err := b.Contact(name); err != nil {
			return name
		}
		name = string(base) + "-" + strconv.Itoa(i)
	}
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

// Confirm makes an invited contact an accepted one: it has come to us.
func (b *Book) Confirm(a card.Address) error {
	c, err := b.ByAddress(a)
	if err == nil && c.Standing == Invited {
		c.Standing, c.Left = Accepted, true
	}
	return err
}
