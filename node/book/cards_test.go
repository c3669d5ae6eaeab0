// Claims about what cards are good for.
package book

import (
	"errors"
	"testing"
	"time"

	"nightjar/node/card"
)

// asks adds somebody who asks by a card of ours.
func asks(t *testing.T, b *Book, name string, n byte, inbox [32]byte) {
	t.Helper()
	must(t, b.Add(Contact{Name: name, Address: card.Address{n}, Standing: Asking,
		PSK: [32]byte{n}, Inbox: inbox}))
}

func TestSingleUseCardTakesOne(t *testing.T) {
	b, inbox := &Book{}, [32]byte{1}
	must(t, b.Issue(Issued{Inbox: inbox, Expires: noon.Add(time.Hour), Uses: 1}, noon))
	asks(t, b, "first", 1, inbox)
	asks(t, b, "second", 2, inbox)
	asks(t, b, "elsewhere", 3, [32]byte{2})
	must(t, b.Accept("first", ""))
	if _, err := b.Contact("second"); !errors.Is(err, ErrUnknown) || len(b.Cards) != 0 {
		t.Error("another can still come in by a card for one")
	}
	if _, err := b.Contact("elsewhere"); err != nil {
		t.Error("who asked by another card is gone")
	}
	if !b.Settled([32]byte{2}) {
		t.Error("the second would be shown again")
	}
	if c, err := b.Contact("first"); err != nil || c.Standing != Accepted {
		t.Error("the first is gone")
	}
}

func TestCardForThreeTakesThree(t *testing.T) {
	b, inbox := &Book{}, [32]byte{1}
	must(t, b.Issue(Issued{Inbox: inbox, Expires: noon.Add(time.Hour), Uses: 3}, noon))
	for n := range byte(3) {
		if len(b.Cards) != 1 {
			t.Fatalf("used up after %d", n)
		}
		asks(t, b, string('a'+rune(n)), n+1, inbox)
		must(t, b.Accept(string('a'+rune(n)), ""))
	}
	if len(b.Cards) != 0 {
		t.Error("it is not used up")
	}
}

func TestRevokedCardIsNoWayIn(t *testing.T) {
	b, inbox := &Book{}, [32]byte{1}
	must(t, b.Issue(Issued{Inbox: inbox, Expires: noon.Add(time.Hour)}, noon))
	asks(t, b, "asker", 1, inbox)
	must(t, b.Revoke(inbox))
	if len(b.Cards) != 0 || len(b.Contacts) != 0 || !b.Settled([32]byte{1}) {
		t.Error("something of it is left")
	}
	if err := b.Revoke(inbox); !errors.Is(err, ErrNoCard) {
		t.Error(err)
	}
}

func TestCardForOneIsNotHandedToTheNext(t *testing.T) {
	b := &Book{}
	must(t, b.Issue(Issued{Inbox: [32]byte{1}, Expires: noon.Add(time.Hour)}, noon))
	must(t, b.Issue(Issued{Inbox: [32]byte{2}, Expires: noon.Add(time.Hour), Uses: 1}, noon))
	must(t, b.Issue(Issued{Inbox: [32]byte{3}, Expires: noon.Add(time.Hour), Bell: true}, noon))
	if c, ok := b.Card(noon); !ok || c.Inbox != [32]byte{1} {
		t.Error("a card made for somebody is shown to all")
	}
}

func TestBlockedAddressMayNotAskAgain(t *testing.T) {
	b := &Book{}
	asks(t, b, "pest", 1, [32]byte{1})
	must(t, b.Block("pest"))
	if !b.IsBlocked(card.Address{1}) || b.IsBlocked(card.Address{2}) || len(b.Contacts) != 0 {
		t.Error("not blocked, or somebody else is")
	}
	b.Unblock(card.Address{1})
	if b.IsBlocked(card.Address{1}) {
		t.Error("still blocked")
	}
	for n := range 2 * maxBlocked {
		b.Blocked = b.Blocked[:min(len(b.Blocked), maxBlocked)]
		must(t, b.Add(Contact{Name: "pest", Address: card.Address{byte(n), byte(n >> 8), 7},
			Standing: Asking}))
		must(t, b.Block("pest"))
		if len(b.Blocked) > maxBlocked {
			t.Fatalf("%d are remembered", len(b.Blocked))
		}
	}
}
