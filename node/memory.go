// What is read from, or put into, an identity while no Node runs on it; and what an identity
// without a memory of its own derives instead.

package node

import (
	"slices"

	"nightjar/keystore"
	"nightjar/node/book"
	"nightjar/node/card"
)

// KeepPathData stores what the path wants remembered: tor's guards.
func (n *Node) KeepPathData(data []byte) error {
	return n.change(func(b *book.Book) error { b.PathData = data; return nil })
}

// KeepWay stores by which kind of way the identity goes out. It is done before anything is sent, so
// that no other way is taken later by mistake.
func KeepWay(id *keystore.Identity, way string) error {
	return ChangeBook(id, func(b *book.Book) error { b.Way = way; return nil })
}

// Memory is what others need of an identity before a Node runs on it.
type Memory struct {
	Name     string // what its cards call it; may be empty
	PathData []byte // what KeepPathData stored; nil if nothing
	Way      string // what KeepWay stored; "" if nothing
	Entries         // ways into the path's network
}

// Remembered reads an identity's memory.
func Remembered(id *keystore.Identity) (Memory, error) {
	state := id.State()
	defer clear(state)
	bk, err := book.Decode(state)
	if err != nil {
		return Memory{}, err
	}
	return Memory{Name: bk.Name, PathData: bk.PathData, Way: bk.Way, Entries: entries(bk)}, nil
}

// FirstState is the state of a new identity: one that its cards call name ("" is nothing; see
// CheckName).
func FirstState(name string) ([]byte, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	b := book.Book{Name: name}
	return b.Encode(keystore.StateLimit)
}

// newInbox returns the inbox secret of a new card. An identity in its owner's head has one for
// ever, so that a card it gave away works again whenever it is opened.
func (n *Node) newInbox() ([32]byte, error) {
	if n.head {
		return n.id.Derive("nightjar inbox", nil)
	}
	return newSecret(), nil
}

// newPSK returns the secret we share with the owner of a card if they accept. An identity in its
// owner's head has one for each card for ever: by adding the card again it is in touch again, and
// the other side notices nothing.
func (n *Node) newPSK(c *card.Card) ([32]byte, error) {
	if n.head {
		return n.id.Derive("nightjar contact", slices.Concat(c.Address[:], c.Inbox[:]))
	}
	return newSecret(), nil
}
