// Contacts, and the standing between us and them.

package book

import (
	"net/netip"
	"slices"
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
	Seat     uint16       `cbor:"4,keyasint"`           // their key of our onion service; see Add
	Hint     []byte       `cbor:"5,keyasint,omitempty"` // their invitation's card.Reach
	Greeting string       `cbor:"6,keyasint,omitempty"`
	Inbox    [32]byte     `cbor:"7,keyasint"`            // where the invitation was left, see Ours
	Left     bool         `cbor:"8,keyasint,omitempty"`  // our invitation was left in their inbox
	Met      bool         `cbor:"9,keyasint,omitempty"`  // a tunnel has stood with them
	Asked    int64        `cbor:"10,keyasint,omitempty"` // when we invited them, hours since 1970
	Bell     card.Gateway `cbor:"11,keyasint,omitzero"`  // doorbell of their card, if it has one
	Both     bool         `cbor:"12,keyasint,omitempty"` // leave the invitation in the inbox too
	Told     Told         `cbor:"13,keyasint,omitzero"`  // what their hints brought: TakeHint

	Named []netip.AddrPort `cbor:"14,keyasint,omitempty"` // DHT nodes: TakeHint, TakeNodes
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

// Add takes a new contact in and gives it a free seat. One that asks gets none before it is
// accepted, so that strangers cannot fill the house: ErrAsking when too many ask already.
func (b *Book) Add(c Contact) error {
	if err := CheckName(c.Name); err != nil {
		return err
	}
	if _, err := b.ByAddress(c.Address); err == nil {
		return ErrTwice // under whatever name: another one would not help
	}
	if _, err := b.Contact(c.Name); err == nil {
		return ErrNameTaken
	}
	var err error
	if c.Standing == Asking {
		err = b.roomToAsk(c.Inbox)
	} else {
		c.Seat, err = b.freeSeat()
	}
	if err == nil {
		b.Contacts = append(b.Contacts, c)
	}
	return err
}

func (b *Book) freeSeat() (uint16, error) {
	var taken [MaxContacts]bool
	for _, c := range b.Contacts {
		if c.Standing != Asking {
			taken[c.Seat%MaxContacts] = true
		}
	}
	for i, t := range taken {
		if !t {
			return uint16(i), nil
		}
	}
	return 0, ErrTooMany
}

// Remove forgets a contact, everything said with it, the DHT nodes that it alone named, by which it
// would see that we are there, and the onion service it knew: every other contact gets a seat on
// the next one. An invitation of theirs that still lies somewhere is
// not shown again; they may ask anew.
func (b *Book) Remove(name string) error {
	c, err := b.Contact(name)
	if err != nil {
		return err
	}
	if c.Standing != Asking {
		b.Service++
	}
	b.Settle(c.PSK)
	b.drop(name)
	return nil
}

func (b *Book) drop(name string) {
	gone := b.Alone(name)
	b.Nodes = slices.DeleteFunc(b.Nodes, func(a netip.AddrPort) bool {
		return slices.Contains(gone, a)
	})
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

// Confirm remembers that a tunnel stands with a contact. An invited one has thereby accepted.
func (b *Book) Confirm(a card.Address) error {
	c, err := b.ByAddress(a)
	if err != nil {
		return err
	}
	if c.Standing == Invited {
		c.Standing, c.Left = Accepted, true
	}
	c.Met = true
	return nil
}
