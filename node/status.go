// How it stands, in numbers and in words.

package node

import (
	"context"
	"errors"
	"slices"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/road"
	"nightjar/node/talk"
	"nightjar/onion"
	"nightjar/tunnel"
)

// errNotFound is meet's, under a name this package's files can use.
var errNotFound = meet.ErrNotFound

// ContactStatus is how it stands with one contact.
type ContactStatus struct {
	Name      string
	Address   card.Address
	Standing  book.Standing
	Connected bool
	Invited   bool   // our invitation lies in the contact's inbox
	Greeting  string // peer text of an asking contact: escape before showing
	Unread    int
	Pending   int // messages of ours not yet delivered
}

// Status is how it stands with the whole identity.
type Status struct {
	Address   card.Address
	Name      string
	Reachable bool // contacts can dial us: our onion service is published, our address known
	Gateways  int
	Contacts  int
	Connected int
	Unread    int
	Pending   int
	Calls     int

	Network  int      // nodes the DHT has, estimated; 0: not known yet
	Warnings []string // what keeps contacts from being found, or makes it unsafe, in words
}

// Contacts lists every contact and how it stands, in the order they came.
func (n *Node) Contacts() []ContactStatus {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]ContactStatus, 0, len(n.book.Contacts))
	for _, c := range n.book.Contacts {
		s := ContactStatus{Name: c.Name, Address: c.Address, Standing: c.Standing,
			Connected: n.links[c.Address] != nil, Invited: c.Left, Greeting: c.Greeting,
			Pending: len(n.book.Pending(c.Name))}
		for _, e := range n.book.Messages {
			if e.With == c.Name && e.Message.State == talk.Unread {
				s.Unread++
			}
		}
		out = append(out, s)
	}
	return out
}

// Status sums up the identity.
func (n *Node) Status() Status {
	s := Status{Address: n.self, Reachable: n.road.Reachable()}
	s.Network, s.Warnings = n.health()
	s.Warnings = append(s.Warnings, n.road.Warnings()...)
	for _, c := range n.Contacts() {
		s.Contacts++
		s.Unread += c.Unread
		s.Pending += c.Pending
		if c.Connected {
			s.Connected++
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s.Name, s.Gateways, s.Calls = n.book.Name, len(n.book.Roads()), len(n.calls)
	return s
}

// Connected reports whether a tunnel to the contact stands now.
func (n *Node) Connected(contact string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, err := n.book.Contact(contact)
	return err == nil && n.links[c.Address] != nil
}

// CheckName returns card.ErrText for a name that no card can carry.
func CheckName(name string) error {
	if len(name) > card.MaxName || card.CheckGreeting(name) != nil {
		return card.ErrText
	}
	return nil
}

// SetName sets what our cards and invitations call us; "" means nothing. See CheckName.
func (n *Node) SetName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	return n.change(func(b *book.Book) error { b.Name = name; return nil })
}

// AddGateway remembers a gateway, and uses it at once for whatever waits.
func (n *Node) AddGateway(g card.Gateway) error {
	if err := n.change(func(b *book.Book) error { b.AddGateway(g); return nil }); err != nil {
		return err
	}
	n.Check()
	return nil
}

// RemoveGateway forgets a gateway, whoever gave it; book.ErrNoGateway if it is not known.
func (n *Node) RemoveGateway(g card.Gateway) error {
	return n.change(func(b *book.Book) error {
		before := len(b.Gateways) + len(b.Learned)
		b.Gateways = slices.DeleteFunc(b.Gateways, func(k card.Gateway) bool { return k == g })
		b.Learned = slices.DeleteFunc(b.Learned, func(k card.Gateway) bool { return k == g })
		if len(b.Gateways)+len(b.Learned) == before {
			return book.ErrNoGateway
		}
		return nil
	})
}

// Gateways lists the gateways we may use.
func (n *Node) Gateways() (out []card.Gateway) {
	n.look(func(b *book.Book) { out = b.Roads() })
	return out
}

// Check looks for invitations and contacts, and tries again what failed, at once instead of at the
// next turn.
func (n *Node) Check() {
	poke(n.inboxPoke)
	if n.packets != nil && !n.road.Reachable() {
		n.road.Renew()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.stir)
	n.stir = make(chan struct{})
	for _, k := range n.keepers {
		poke(k.haste)
	}
}

// why turns an error into a few words for progress lines. It never shows the error's own text,
// which other rooms and libraries made.
func why(err error) string {
	words := []struct {
		is   error
		says string
	}{
		{ErrNoGateway, "no gateway is known; add one: nightjar gateway add LINE"},
		{errNotAccepted, "the contact is away or has not accepted yet"},
		{meet.ErrNotFound, "nothing is stored there now; the contact may be away"},
		{meet.ErrTaken, "somebody else who has the card blocked that place; again at the next"},
		{meet.ErrLost, "the way to the DHT was lost"},
		{meet.ErrFewStores, "too few DHT nodes took it"},
		{meet.ErrNoNodes, "no DHT node answered; a full card or a bundle names some"},
		{book.ErrFull, "the vault is full of unsent and unread messages"},
		{road.ErrOther, "the contact is reached by another way, which is not tried"},
		{road.ErrNowhere, "the contact cannot be called where it is now; it can call"},
		{road.ErrNotYet, "our own way out is not open yet"},
		{onion.ErrNoService, "the service is not there now"},
		{onion.ErrNotAuthorized, "the contact's service does not know us any more"},
		{onion.ErrTorDied, "tor has ended"},
		{tunnel.ErrUnanswered, "nobody answered there"},
		{tunnel.ErrStranger, "the far side is not who it should be"},
		{context.DeadlineExceeded, "it took too long"},
		{context.Canceled, "the engine is stopping"},
	}
	for _, w := range words {
		if errors.Is(err, w.is) {
			return w.says
		}
	}
	return "the network did not answer"
}
