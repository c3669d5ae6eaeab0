// What two contacts share, and the keys that follow from it.

package node

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"nightjar/keystore"
	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/tunnel"
)

// pairLabel separates the root of a pair from every other use of the same secrets.
const pairLabel = "nightjar pair v1"

// pair is what two contacts have in common, seen from our side.
type pair struct {
	peer   tunnel.Peer
	ours   meet.Side
	theirs meet.Side
}

// pairRoot is the secret both contacts derive everything else from:
//
//	HKDF-SHA256(secret = X25519 of the statics, salt = contact PSK,
//	            info = label | lower address | higher address), 32 bytes
func pairRoot(shared, psk [32]byte, a, b card.Address) ([32]byte, error) {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	info := pairLabel + string(a[:]) + string(b[:])
	key, err := hkdf.Key(sha256.New, shared[:], psk[:], info, 32)
	if err != nil {
		return [32]byte{}, fmt.Errorf("derive pair root: %w", err)
	}
	return [32]byte(key), nil
}

// makePair derives what we share with a contact.
func (n *Node) makePair(c *book.Contact) (pair, error) {
	static, err := keystore.AgreementKeyOf(c.Address)
	if err != nil {
		return pair{}, err
	}
	shared, err := n.id.Agree(static)
	if err != nil {
		return pair{}, err
	}
	defer clear(shared[:])
	root, err := pairRoot(shared, c.PSK, n.self, c.Address)
	if err != nil {
		return pair{}, err
	}
	return pair{
		peer:   tunnel.Peer{Static: static, Root: root, PSK: c.PSK},
		ours:   meet.SideOf(n.self, c.Address),
		theirs: meet.SideOf(c.Address, n.self),
	}, nil
}

// pairWith returns the pair of a contact, derived once. Called with mu held.
func (n *Node) pairWith(c *book.Contact) (pair, error) {
	if p, ok := n.pairs[c.Address]; ok && p.peer.PSK == c.PSK {
		return p, nil
	}
	p, err := n.makePair(c)
	if err == nil {
		n.pairs[c.Address] = p
	}
	return p, err
}

// peers lists whom a tunnel may come from.
func (n *Node) peers() []tunnel.Peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []tunnel.Peer
	for i := range n.book.Contacts {
		c := &n.book.Contacts[i]
		if c.Standing == book.Asking {
			continue
		}
		if p, err := n.pairWith(c); err == nil {
			out = append(out, p.peer)
		}
	}
	return out
}

// byStatic finds the contact a tunnel belongs to.
func (n *Node) byStatic(static [32]byte) (book.Contact, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.book.Contacts {
		if p, ok := n.pairs[c.Address]; ok && p.peer.Static == static {
			return c, c.Standing != book.Asking
		}
	}
	return book.Contact{}, false
}

// contact returns a copy of the contact with that address, and the pair.
func (n *Node) contact(a card.Address) (book.Contact, pair, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, err := n.book.ByAddress(a)
	if err != nil {
		return book.Contact{}, pair{}, err
	}
	p, err := n.pairWith(c)
	return *c, p, err
}

func newSecret() (b [32]byte) {
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return b
}
