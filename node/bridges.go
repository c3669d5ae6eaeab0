// How the path enters its network: the identity remembers it, whoever makes the path uses it.

package node

import (
	"slices"
	"time"

	"nightjar/keystore"
	"nightjar/node/book"
	"nightjar/node/bundle"
	"nightjar/node/card"
	"nightjar/node/talk"
)

// Entries are the ways into the path's network that an identity knows.
type Entries struct {
	Bridges []string // tor bridge lines, in the order in which they came
	Only    bool     // never enter but by a bridge
	Last    string   // the bridge that worked last; "" is none
	// Offers are bridges that contacts named, by the contact's name; none is used.
	Offers map[string]string
}

func entries(b *book.Book) Entries {
	return Entries{Bridges: slices.Clone(b.Bridges), Only: b.Hidden, Last: b.Entry,
		Offers: b.Offers()}
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

// RemoveBridge forgets a bridge line, or an offer; book.ErrBridge if there is none.
func (n *Node) RemoveBridge(line string) error {
	return n.change(func(b *book.Book) error { return b.RemoveBridge(line) })
}

// OfferBridge tells a contact that is connected of a bridge, which it shows to its user. The line
// is taken as it is: the caller has read it. Errors are book.ErrUnknown, book.ErrOffered,
// ErrNotLinked and bundle.ErrBundle.
func (n *Node) OfferBridge(contact, line string) error {
	text, err := (&bundle.Bundle{Bridges: []string{line}}).Encode()
	if err != nil {
		return err
	}
	var to card.Address
	err = n.change(func(b *book.Book) (err error) {
		if to, err = b.Offer(contact, hours()); err == nil && n.links[to] == nil {
			err = ErrNotLinked
		}
		return err
	})
	if err != nil {
		return err
	}
	return n.say(to, talk.Record{Kind: talk.KindHint, Text: text})
}

// takeOffer takes in a bridge that a contact offers, and reports whether r is such an offer: one
// printable line, that whoever shows it has to read first.
func (n *Node) takeOffer(a card.Address, r talk.Record) bool {
	in, err := bundle.Parse(r.Text)
	if err != nil || len(in.Bridges) == 0 {
		return false
	}
	line, name := in.Bridges[0], ""
	err = n.change(func(b *book.Book) error {
		if !b.TakeBridge(a, line, hours()) {
			return errUnchanged
		}
		c, err := b.ByAddress(a)
		if err == nil {
			name = c.Name
		}
		return err
	})
	if err == nil && name != "" {
		n.feed.tell(Event{Kind: EventProgress, Contact: name,
			Text: "offers a bridge, which is not used unless you add it: nightjar bridge list"})
	}
	return true
}

// hours is the time in hours since 1970.
func hours() int64 { return time.Now().Unix() / 3600 }

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
