// Claims about bridges that contacts offer.

package node

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nightjar/node/book"
	"nightjar/node/bundle"
	"nightjar/node/card"
	"nightjar/node/talk"
)

// someBridge is the i-th line of a flood.
func someBridge(i int) string {
	return fmt.Sprintf("obfs4 192.0.2.%d:%d %s cert=x%d iat-mode=0", i%250+1, i+1,
		strings.Repeat("A", 40), i)
}

func TestOfferedBridgeIsShownAndNotUsed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		<-time.After(time.Minute)
		if err := desk.OfferBridge("source", someBridge(1)); err != nil {
			t.Fatal(err)
		}
		if err := desk.OfferBridge("source", someBridge(2)); !errors.Is(err, book.ErrOffered) {
			t.Errorf("a second one: %v", err)
		}
		<-time.After(time.Minute)
		e := source.Entries()
		if e.Offers["desk"] != someBridge(1) || len(e.Bridges) != 0 {
			t.Errorf("offers %q, in use %q", e.Offers, e.Bridges)
		}
		if err := source.AddBridge(someBridge(1)); err != nil {
			t.Fatal(err)
		}
		if e := source.Entries(); len(e.Offers) != 0 || len(e.Bridges) != 1 {
			t.Errorf("once added: offers %q, in use %q", e.Offers, e.Bridges)
		}
		if err := desk.OfferBridge("source", "two\nlines"); !errors.Is(err, bundle.ErrBundle) {
			t.Errorf("two lines: %v", err)
		}
		if err := desk.OfferBridge("nobody", someBridge(1)); !errors.Is(err, book.ErrUnknown) {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestOfferToWhoIsAwayCanBeMadeAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		source.stop()
		<-time.After(5 * time.Minute)
		for range 2 {
			err := desk.OfferBridge("source", someBridge(1))
			if !errors.Is(err, ErrNotLinked) {
				t.Errorf("away: %v", err)
			}
		}
	})
}

func TestContactCannotFillTheBookWithBridges(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		<-time.After(time.Minute)
		from := source.Status().Address
		own := someBridge(9999)
		if err := desk.AddBridge(own); err != nil {
			t.Fatal(err)
		}
		tell := func(a card.Address, line string) bool {
			text, err := (&bundle.Bundle{Bridges: []string{line}}).Encode()
			if err != nil {
				t.Fatal(err)
			}
			before := vaultFile(t)
			if !desk.takeOffer(a, talk.Record{Kind: talk.KindHint, Text: text}) {
				t.Error("an offer is taken for another hint")
			}
			return !os.SameFile(before, vaultFile(t))
		}
		if !tell(from, someBridge(0)) || tell(card.Address{9}, someBridge(1)) {
			t.Error("a contact's offer is not taken, or a stranger's is")
		}
		for i := range 100 {
			if tell(from, someBridge(i)) {
				t.Fatalf("offer %d of one hour made us write the vault", i)
			}
		}
		naive := &book.Book{Bridges: []string{own}}
		for i := range 50 {
			<-time.After(hintEvery + time.Hour)
			tell(from, someBridge(i))
			naive.AddBridge(someBridge(i))
		}
		e := desk.Entries()
		if !slices.Equal(e.Bridges, []string{own}) || len(e.Offers) != 1 {
			t.Errorf("%d bridges and %d offers", len(e.Bridges), len(e.Offers))
		}
		if slices.Contains(naive.Bridges, own) {
			t.Error("the naive book keeps what its user gave: this test proves nothing")
		}
	})
}
