// Identities that are kept in their owner's head: nothing is remembered between two times.
package node

import (
	"errors"
	"testing"
	"time"

	"nightjar/node/card"
	"nightjar/node/talk"
)

// returns lets a source get in touch, lose everything but its keys and the card, and come back. It
// reports whether the desk's reply, written in between, arrives within a day.
func returns(w *world, derived bool) bool {
	desk, source := w.start(0, nil), w.open(1, nil, derived)
	w.befriend(desk, source)
	line, err := desk.Card(false)
	if err != nil {
		w.t.Fatal(err)
	}
	before, err := source.Card(false)
	if err != nil {
		w.t.Fatal(err)
	}
	source.stop()
	w.await(desk, EventLost)
	if _, err := desk.Send(w.t.Context(), "source", "the reply"); err != nil {
		w.t.Fatal(err)
	}
	if err := source.id.Save(nil); err != nil { // the stick is wiped, the head is not
		w.t.Fatal(err)
	}
	source = w.open(1, nil, derived)
	if after, err := source.Card(false); err != nil || (after[:200] == before[:200]) != derived {
		w.t.Errorf("its card is another: %v, err %v", after != before, err)
	}
	if _, err := source.Invite(line, "desk", ""); err != nil {
		w.t.Fatal(err)
	}
	day := time.After(24 * time.Hour)
	for {
		select {
		case e := <-source.feed:
			if e.Kind == EventMessage {
				w.await(desk, EventDelivered)
				states := desk.state("source")
				return len(states) == 1 && states[0] == talk.Delivered
			}
		case <-day:
			return false
		}
	}
}

func TestCodenameAndCardAreEnoughToReadTheReply(t *testing.T) {
	inWorld(t, func(_ *testing.T, w *world) {
		if !returns(w, true) {
			w.t.Error("the reply did not come")
		}
	})
}

func TestWithoutDerivedSecretsTheReplyIsLost(t *testing.T) {
	inWorld(t, func(_ *testing.T, w *world) {
		if returns(w, false) {
			w.t.Error("the naive variant finds the reply: this test proves nothing")
		}
	})
}

func TestCodenameRefusesWhatOneInboxCannotDo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.open(1, nil, true)
		if _, err := source.NewCard(CardOptions{Uses: 1}); !errors.Is(err, ErrCodename) {
			t.Errorf("a card for one: %v", err)
		}
		lines := []string{w.newCard(source, CardOptions{}), w.newCard(desk, CardOptions{})}
		first := [][32]byte{}
		for i, p := range []*person{source, desk} {
			c, err := card.Parse(lines[i])
			if err != nil {
				t.Fatal(err)
			}
			again, err := card.Parse(w.newCard(p, CardOptions{}))
			if err != nil {
				t.Fatal(err)
			}
			if shared := c.Inbox == again.Inbox; shared != (p == source) {
				t.Fatalf("the cards share an inbox: %v: this test proves nothing", shared)
			}
			first = append(first, c.Inbox)
		}
		if err := source.RevokeCard(cardID(first[0])); !errors.Is(err, ErrCodename) {
			t.Errorf("revoked: %v", err)
		}
		if len(source.Cards()) != 1 {
			t.Errorf("%d cards are left", len(source.Cards()))
		}
		if err := desk.RevokeCard(cardID(first[1])); err != nil {
			t.Errorf("a card with an inbox of its own: %v", err)
		}
	})
}
