// Our cards: made, listed, revoked.

package node

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"nightjar/keystore"
	"nightjar/node/book"
	"nightjar/node/card"
)

var (
	// ErrCodename is returned for what needs cards with inboxes of their own.
	ErrCodename = errors.New("a codename has one inbox for all its cards")
	// ErrNoBell is returned for a doorbell of who does not go by onion services.
	ErrNoBell = errors.New("a doorbell is an onion service, and this way out has none")
)

const (
	cardFor   = 365 * 24 * time.Hour // how long a card is good unless asked otherwise
	cardNodes = 8                    // DHT nodes in a card that opens a closed network
	cardLines = 8                    // gateways, relays and bridges of a card, each
)

// CardOptions say what a new card is for. The zero value is a card for everybody, for a year.
type CardOptions struct {
	Uses uint32        // how many may become contacts by it; 0: any number
	For  time.Duration // how long it is good; 0: a year
	// Bell names a doorbell on it: invitations come at once, without the DHT. Whoever holds the
	// card can then see when we are there.
	Bell bool
	// Full puts on it what somebody needs who knows nobody in the network: bridges, pkarr relays
	// and some DHT nodes.
	Full bool
}

// CardStatus is how it stands with a card we gave away.
type CardStatus struct {
	ID      string    `json:"id"` // names it for RevokeCard
	Expires time.Time `json:"expires"`
	Uses    uint32    `json:"uses,omitempty"` // how many may become contacts by it; 0: any number
	Used    uint32    `json:"used"`           // how many did
	Bell    bool      `json:"doorbell,omitempty"`
}

// Card returns our card for everybody as a "nightjar:" line. It is the same until it expires or
// fresh is asked for. Invitations to earlier cards are still taken in. It carries the gateways the
// user gave, never one learned from the card of somebody else: that would tell whose card we hold.
func (n *Node) Card(fresh bool) (string, error) {
	var issued book.Issued
	have := false
	n.look(func(b *book.Book) {
		if issued, have = b.Card(time.Now()); !have && n.head && len(b.Cards) > 0 {
			issued = b.Cards[0] // the one there is: for everybody, but for its doorbell
			issued.Bell, have = false, time.Now().Before(issued.Expires)
		}
	})
	if !have || fresh {
		return n.NewCard(CardOptions{})
	}
	return n.cardOf(issued, false)
}

// NewCard makes a card. book.ErrCards when too many are out; ErrNoBell; ErrCodename for a card for
// so many of an identity in its owner's head: all its cards share one inbox, so that nobody can
// tell who used which.
func (n *Node) NewCard(o CardOptions) (string, error) {
	if n.head && o.Uses > 0 {
		return "", ErrCodename
	}
	if o.Bell && n.path == nil {
		return "", ErrNoBell
	}
	now := time.Now()
	if o.For <= 0 {
		o.For = cardFor
	}
	inbox, err := n.newInbox()
	if err != nil {
		return "", err
	}
	issued := book.Issued{Inbox: inbox, Expires: now.Add(o.For).Truncate(time.Hour), Uses: o.Uses,
		Bell: o.Bell}
	if !issued.Expires.After(now) {
		issued.Expires = issued.Expires.Add(time.Hour)
	}
	err = n.change(func(b *book.Book) error { return b.Issue(issued, now) })
	if err != nil {
		return "", err
	}
	poke(n.inboxPoke)
	poke(n.bellPoke)
	return n.cardOf(issued, o.Full)
}

// cardOf writes a card.
func (n *Node) cardOf(i book.Issued, full bool) (string, error) {
	c := card.Card{Address: n.self, Inbox: i.Inbox, Expires: i.Expires, Uses: uint(i.Uses)}
	if i.Bell {
		key, err := n.bellKey(i.Inbox)
		if err != nil {
			return "", err
		}
		c.SetDoorbell(key, bellPort)
	}
	n.look(func(b *book.Book) {
		c.Name = b.Name
		c.Gateways = last(b.Gateways, cardLines)
		if full {
			c.Relays, c.Bridges = last(b.Relays, cardLines), last(b.Bridges, cardLines)
		}
	})
	if full && n.atlas != nil {
		c.Nodes = n.atlas.Seeds(cardNodes)
	}
	return c.Encode(n.id.Sign)
}

// last returns a copy of the last n of a list.
func last[T any](list []T, n int) []T {
	return append([]T(nil), list[max(0, len(list)-n):]...)
}

// Cards lists the cards that are out and have not expired.
func (n *Node) Cards() []CardStatus {
	out := []CardStatus{}
	n.look(func(b *book.Book) {
		for _, c := range b.Cards {
			if time.Now().Before(c.Expires) {
				out = append(out, CardStatus{ID: cardID(c.Inbox), Expires: c.Expires,
					Uses: c.Uses, Used: c.Used, Bell: c.Bell})
			}
		}
	})
	return out
}

// cardID names a card: nobody can find its inbox by it.
func cardID(inbox [32]byte) string {
	h := sha256.Sum256(append([]byte("nightjar card id"), inbox[:]...))
	return hex.EncodeToString(h[:4])
}

// RevokeCard makes a card worthless: nobody can ask by it any more, and those who do so now are
// forgotten. Who became a contact by it stays one. book.ErrNoCard when no card has that id;
// ErrCodename when the identity is in its owner's head: all its cards share one inbox, and the next
// one would open it again.
func (n *Node) RevokeCard(id string) error {
	if n.head {
		return ErrCodename
	}
	err := n.change(func(b *book.Book) error {
		for _, c := range b.Cards {
			if cardID(c.Inbox) == id {
				return b.Revoke(c.Inbox)
			}
		}
		return book.ErrNoCard
	})
	if err == nil {
		poke(n.bellPoke)
	}
	return err
}

// readCard turns a card, or a bare address, into what it opens.
func readCard(text string, now time.Time) (*card.Card, error) {
	if a, err := card.ParseAddress(text); err == nil {
		return &card.Card{Address: a, Inbox: card.OpenInbox(a)}, nil
	}
	c, err := card.Parse(text)
	if err != nil {
		return nil, err
	}
	if c.Expired(now) {
		return nil, ErrExpired
	}
	return c, nil
}

// InviteOptions say how somebody is invited.
type InviteOptions struct {
	Name     string // what we call them; "" takes what the card suggests
	Greeting string // a few words of ours; may be empty
	Both     bool   // leave the invitation in the inbox also when it was handed in at a doorbell
}

// Invite makes the owner of a card, or of a bare address, a contact. The invitation is left in the
// background; it is safe in the vault when Invite returns the contact's name.
func (n *Node) Invite(text, name, greeting string) (string, error) {
	name, _, err := n.InviteBy(text, InviteOptions{Name: name, Greeting: greeting})
	return name, err
}

// invitable reads a card, or a bare address, of somebody who can be invited so.
func (n *Node) invitable(text string, o InviteOptions) (*card.Card, error) {
	c, err := readCard(text, time.Now())
	if err != nil {
		return nil, err
	}
	if c.Address == n.self {
		return nil, ErrSelf
	}
	if err := card.CheckGreeting(o.Greeting); err != nil {
		return nil, err
	}
	if _, err := keystore.AgreementKeyOf(c.Address); err != nil {
		return nil, card.ErrAddress
	}
	return c, nil
}

// InviteBy is Invite with all it can be told. Of what a card holds for somebody who knows nobody it
// takes gateways, nodes, and relays where there is room; none is passed on, and none takes the
// place of what the user gave or what proved itself. It returns what is for the user to decide.
func (n *Node) InviteBy(text string, o InviteOptions) (name string, offers Offers, err error) {
	c, err := n.invitable(text, o)
	if err != nil {
		return "", Offers{}, err
	}
	psk, err := n.newPSK(c)
	if err != nil {
		return "", Offers{}, err
	}
	err = n.change(func(b *book.Book) error {
		if o.Name == "" {
			o.Name = b.FreeName(c.Name)
		}
		for _, g := range c.Gateways {
			b.LearnGateway(g)
		}
		tryRelays(b, c.Relays)
		offers = Offers{Bridges: strange(b, c.Bridges), Relays: offered(b, c.Relays)}
		b.Unblock(c.Address)
		err := b.Add(book.Contact{Name: o.Name, Address: c.Address, Standing: book.Invited,
			PSK: psk, Greeting: o.Greeting, Inbox: c.Inbox, Bell: c.Doorbell, Both: o.Both,
			Asked: time.Now().Unix() / 3600})
		if err != nil {
			return err
		}
		return b.TakeNodes(c.Address, c.Nodes)
	})
	if err != nil {
		return "", Offers{}, err
	}
	poke(n.rosterPoke)
	return o.Name, offers, nil
}
