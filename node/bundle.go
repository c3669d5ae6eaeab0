// What opens the network, passed on: as a file, and to contacts over the tunnel.

package node

import (
	"net/netip"
	"slices"
	"time"

	"nightjar/node/book"
	"nightjar/node/bundle"
	"nightjar/node/card"
	"nightjar/node/talk"
)

const (
	hintEvery = 12 * time.Hour // for each contact
)

// ExportBundle returns what somebody needs who knows nobody in the network: the gateways, relays
// and bridges that the user gave, and DHT nodes that answered. It names nobody, and nothing that
// was learned from a contact.
func (n *Node) ExportBundle() (string, error) {
	out := bundle.Bundle{}
	n.look(func(b *book.Book) {
		out.Gateways, out.Relays = last(b.Gateways, 32), last(b.Relays, 16)
		out.Bridges = last(b.Bridges, 32)
	})
	if n.atlas != nil {
		out.Nodes = n.atlas.Seeds(100)
	}
	return out.Encode()
}

// Offers are ways that somebody else named and that are not used unless the user adds them, as far
// as they are new: who runs a bridge sees our address; a relay outside of tor is reached by exits.
type Offers struct {
	Bridges []string // tor bridge lines
	Relays  []string // URLs of https relays
}

// ImportBundle uses at once what a bundle holds, as far as it is new and there is room: it evicts
// nothing, and our cards and bundles do not pass it on. It returns what it took in, and what is for
// the user to decide. Errors are those of bundle.Parse, and of the vault.
func (n *Node) ImportBundle(text string) (*bundle.Bundle, Offers, error) {
	in, err := bundle.Parse(text)
	if err != nil {
		return nil, Offers{}, err
	}
	var offers Offers
	err = n.change(func(b *book.Book) error {
		in.Gateways = fresh(in.Gateways, b.TryGateway)
		in.Nodes = fresh(in.Nodes, b.TryNode)
		offers = Offers{Bridges: strange(b, in.Bridges), Relays: offered(b, in.Relays)}
		in.Relays, in.Bridges = tryRelays(b, in.Relays), nil
		if len(in.Gateways)+len(in.Nodes)+len(in.Relays) == 0 {
			return errUnchanged
		}
		return nil
	})
	if err != nil {
		return nil, Offers{}, err
	}
	n.Check()
	n.Moved() // there may have been nobody to ask where we are
	return in, offers, nil
}

// fresh returns what of a list was taken.
func fresh[T any](list []T, take func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return !take(v) })
}

// tryRelays takes in the relays that we can reach, and returns those that it took.
func tryRelays(b *book.Book, urls []string) []string {
	return fresh(urls, func(url string) bool {
		_, ok := onionRelay(url)
		return ok && b.TryRelay(url)
	})
}

// strange returns the bridge lines that are not in the book.
func strange(b *book.Book, lines []string) []string {
	return fresh(lines, func(l string) bool { return !slices.Contains(b.Bridges, l) })
}

// hint tells a contact of some gateways and DHT nodes, so that it finds its way when its own are
// gone. As on a card, only gateways that the user gave are named.
func (n *Node) hint(a card.Address, l *link) {
	n.mu.Lock()
	if t, ok := n.hinted[a]; ok && time.Since(t) < hintEvery {
		n.mu.Unlock()
		return
	}
	n.hinted[a] = time.Now()
	out := bundle.Bundle{Gateways: last(n.book.Gateways, book.HintGateways)}
	n.mu.Unlock()
	if n.atlas != nil {
		out.Nodes = n.atlas.Seeds(book.HintNodes)
	}
	if text, err := out.Encode(); err == nil && len(out.Gateways)+len(out.Nodes) > 0 {
		_ = l.say(talk.Record{Kind: talk.KindHint, Text: text}) // or over the next link
	}
}

// takeHint takes in what a contact told of, once a link, as far as book.TakeHint lets it: a contact
// must not be able to fill the book, choose our gateways for us or wear out the disk.
func (n *Node) takeHint(a card.Address, l *link, r talk.Record) {
	if l.hinted {
		return
	}
	l.hinted = true
	in, err := bundle.Parse(r.Text)
	if err != nil {
		return
	}
	in.Nodes = slices.DeleteFunc(in.Nodes, func(a netip.AddrPort) bool { return !a.Addr().Is4() })
	_ = n.change(func(b *book.Book) error {
		if !b.TakeHint(a, in.Gateways, in.Nodes, time.Now().Unix()/3600) {
			return errUnchanged
		}
		return nil
	})
}

// AddRelay remembers a pkarr relay; one that is no onion service is asked only over a path that may
// be left. card.ErrRelay for what is no such relay's URL.
func (n *Node) AddRelay(url string) error {
	_, service := onionRelay(url)
	if _, host := hostRelay(url); card.CheckRelay(url) != nil || !service && !host {
		return card.ErrRelay
	}
	if err := n.change(func(b *book.Book) error { b.AddRelay(url); return nil }); err != nil {
		return err
	}
	n.Check()
	return nil
}
