// How the path enters its network: the identity remembers it, whoever makes the path uses it.

package node

import (
	"slices"

	"nightjar/keystore"
	"nightjar/node/book"
)

// Entries are the ways into the path's network that an identity knows.
type Entries struct {
	Bridges []string // tor bridge lines, in the order in which they came
	Only    bool     // never enter but by a bridge
	Last    string   // the bridge that worked last; "" is none
}

func entries(b *book.Book) Entries {
	return Entries{Bridges: slices.Clone(b.Bridges), Only: b.Hidden, Last: b.Entry}
}

// Entries says which ways into the path's network the identity knows.
func (n *Node) Entries() (e Entries) {
	n.look(func(b *book.Book) { e = entries(b) })
	return e
}

// AddBridge remembers a bridge line; the path uses it at its next start. Beyond 32 the oldest is
// forgotten. The line is taken as it is: the caller has read it.
func (n *Node) AddBridge(line string) error {
	return n.change(func(b *book.Book) error { b.AddBridge(line); return nil })
}

// RemoveBridge forgets a bridge line; book.ErrBridge if there is none.
func (n *Node) RemoveBridge(line string) error {
	return n.change(func(b *book.Book) error { return b.RemoveBridge(line) })
}

// SetBridgesOnly says whether the path may enter its network by bridges alone.
func (n *Node) SetBridgesOnly(only bool) error {
	return n.change(func(b *book.Book) error {
		if b.Hidden == only {
			return errUnchanged
		}
		b.Hidden = only
		return nil
	})
}

// KeepEntry remembers the way into the network that worked: a bridge line, or "" for none.
func (n *Node) KeepEntry(line string) error {
	return n.change(func(b *book.Book) error {
		if b.Entry == line || line != "" && !slices.Contains(b.Bridges, line) {
			return errUnchanged
		}
		b.Entry = line
		return nil
	})
}

// ChangeBook changes what an identity remembers while no Node runs on it.
func ChangeBook(id *keystore.Identity, f func(*book.Book) error) (err error) {
	do(func() {
		state := id.State()
		defer clear(state)
		var b *book.Book
		if b, err = book.Decode(state); err != nil {
			return
		}
		if err = f(b); err != nil {
			return
		}
		var after []byte
		if after, err = b.Encode(keystore.StateLimit); err == nil {
			defer clear(after)
			err = id.Save(after)
		}
	})
	return err
}
