// Identities that are kept in their owner's head: nothing is remembered between two times.
package node

import (
	"testing"
	"time"

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
