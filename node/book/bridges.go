// How the path enters its network: bridges, and the way that worked last.

package book

import (
	"errors"
	"slices"

	"nightjar/node/card"
)

// ErrOffered means that a contact was offered a bridge less than 12 hours ago.
var ErrOffered = errors.New("this contact was offered a bridge within 12 hours")

// AddBridge remembers a tor bridge line the user gave; beyond 32 the oldest is forgotten.
func (b *Book) AddBridge(line string) { b.Bridges = remember(b.Bridges, line, maxBridges) }

// RemoveBridge forgets a bridge line, and that contacts offer it; ErrBridge if there is none.
func (b *Book) RemoveBridge(line string) error {
	known := false
	for i := range b.Contacts {
		if told := &b.Contacts[i].Told; told.Bridge == line && line != "" {
			told.Bridge, known = "", true
		}
	}
	if i := slices.Index(b.Bridges, line); i >= 0 {
		b.Bridges, known = slices.Delete(b.Bridges, i, i+1), true
	}
	if !known {
		return ErrBridge
	}
	if b.Entry == line {
		b.Entry = ""
	}
	return nil
}

// TakeBridge takes in a bridge line that a contact offers at that hour since 1970, and reports
// whether it is news. A contact has room for one offer and can change it twice a day: it takes the
// place of nothing else. Nothing is done with it unless the user adds it.
func (b *Book) TakeBridge(from card.Address, line string, hour int64) bool {
	c, err := b.ByAddress(from)
	if err != nil || soon(c.Told.Bridged, hour) || c.Told.Bridge == line ||
		slices.Contains(b.Bridges, line) {
		return false
	}
	c.Told.Bridge, c.Told.Bridged = line, hour
	return true
}

// Offers lists the bridge lines that contacts offer and the book does not have, by their names.
func (b *Book) Offers() map[string]string {
	offers := map[string]string{}
	for _, c := range b.Contacts {
		if line := c.Told.Bridge; line != "" && !slices.Contains(b.Bridges, line) {
			offers[c.Name] = line
		}
	}
	return offers
}

// Offer notes that we offer a bridge to a contact at that hour: ErrOffered when it would not take
// it in yet, ErrUnknown.
func (b *Book) Offer(contact string, hour int64) (card.Address, error) {
	c, err := b.Contact(contact)
	if err != nil {
		return card.Address{}, err
	}
	if soon(c.Told.Offered, hour) {
		return card.Address{}, ErrOffered
	}
	c.Told.Offered = hour
	return c.Address, nil
}
