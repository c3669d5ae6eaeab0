// Claims about identities at work, under fake time.
package node

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/book"
	"nightjar/node/talk"
)

func TestStrangersMeetByCardAndWriteBothWays(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		if _, err := source.Send(t.Context(), "desk", "hello"); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventDelivered)
		if _, err := desk.Send(t.Context(), "source", "hello yourself"); err != nil {
			t.Fatal(err)
		}
		w.await(desk, EventDelivered)
		got, err := source.Messages("desk", true)
		if err != nil || len(got) != 2 || got[1].Message.Text != "hello yourself" {
			t.Fatalf("source has %d messages, err %v", len(got), err)
		}
		if s := source.state("desk"); !slices.Equal(s, []talk.State{talk.Delivered, talk.Read}) {
			t.Errorf("states are %v", s)
		}
	})
}

func TestInviterLearnsNothingBeforeAcceptance(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		name := w.invite(desk, source)
		<-time.After(3 * time.Hour)
		for _, c := range source.Contacts() {
			if c.Connected || c.Standing != book.Invited {
				t.Error("source sees something of desk before it was accepted")
			}
		}
		if w.dht.publishers() != 1 {
			t.Error("desk published something for a contact it has not accepted")
		}
		// The naive variant publishes for everybody who asks: the inviter sees it at once.
		if err := desk.Accept(name, ""); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventConnected)
	})
}

func TestRefusalLooksLikeAbsence(t *testing.T) {
	watch := func(refuse bool) (seen []Event, puts int) {
		inWorld(t, func(t *testing.T, w *world) {
			desk, source := w.start(0, nil), w.start(1, nil)
			name := w.invite(desk, source)
			if refuse {
				if err := desk.Refuse(name); err != nil {
					t.Fatal(err)
				}
			} else {
				desk.stop()
			}
			<-time.After(2 * time.Hour)
			source.stop()
			for e := range source.feed {
				if e.Kind != EventProgress && !slices.Contains(seen, e) {
					seen = append(seen, e)
				}
			}
			puts = w.dht.publishers()
		})
		return seen, puts
	}
	refused, putsRefused := watch(true)
	away, putsAway := watch(false)
	if !slices.Equal(refused, away) || putsRefused != putsAway {
		t.Errorf("refused: %v, away: %v", refused, away)
	}
}

func TestRefusedInvitationDoesNotComeBack(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		if err := desk.Refuse(w.invite(desk, source)); err != nil {
			t.Fatal(err)
		}
		desk.Check()
		<-time.After(time.Hour)
		if n := len(desk.Contacts()); n != 0 {
			t.Errorf("%d contacts ask again", n)
		}
	})
}

func TestMessageWaitsForAContactThatIsAwayAndComesOnce(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		desk.stop()
		w.await(source, EventLost)
		if _, err := source.Send(t.Context(), "desk", "for later"); err != nil {
			t.Fatal(err)
		}
		source.stop() // as good as killed: the book is in the vault
		if s := source.state("desk"); !slices.Equal(s, []talk.State{talk.Queued}) {
			t.Fatalf("states are %v", s)
		}
		again, back := w.start(1, nil), w.start(0, nil)
		w.await(back, EventMessage)
		w.await(again, EventDelivered)
		if got, _ := back.Messages("source", false); len(got) != 1 {
			t.Errorf("desk has %d messages", len(got))
		}
	})
}

func TestRepeatedTextIsAcknowledgedButStoredOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		address := desk.Status().Address
		id := newID()
		for range 3 {
			r := talk.Record{Kind: talk.KindText, ID: id[:], Text: "again"}
			if err := source.say(address, r); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got, _ := desk.Messages("source", false); len(got) != 1 {
			t.Errorf("desk has %d messages", len(got))
		}
	})
}

func TestRemovedContactFindsNobody(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		<-time.After(time.Minute) // both have published
		if err := desk.Remove("source"); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventLost)
		<-time.After(3 * time.Hour)
		if source.Connected("desk") {
			t.Error("a removed contact is connected")
		}
		pr := source.pairOf(t, "desk")
		reach, err := w.dht.Find(t.Context(), pr.peer.Root, pr.theirs)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := source.dialTunnel(t.Context(), reach, pr.peer); err == nil {
			t.Error("the old service still answers a removed contact")
		}
	})
}

func TestBothDiallingAtOnceEndsInOneTunnel(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		desk.stop()
		source.stop()
		desk, source = w.start(0, nil), w.start(1, nil)
		w.await(desk, EventConnected)
		w.await(source, EventConnected)
		<-time.After(5 * time.Minute)
		if !desk.Connected("source") || !source.Connected("desk") {
			t.Fatal("crossing dials ended in no tunnel")
		}
		if _, err := source.Send(t.Context(), "desk", "still there?"); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventDelivered)
	})
}

func TestOwnCardIsRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk := w.start(0, nil)
		line, err := desk.Card(false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := desk.Invite(line, "me", ""); !errors.Is(err, ErrSelf) {
			t.Errorf("own card: %v", err)
		}
	})
}

func TestExpiredCardIsRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		line, err := desk.Card(false)
		if err != nil {
			t.Fatal(err)
		}
		desk.stop()
		source.stop()
		<-time.After(cardFor + time.Hour)
		if _, err := source.Invite(line, "desk", ""); !errors.Is(err, ErrExpired) {
			t.Errorf("expired card: %v", err)
		}
	})
}

func (p *person) pairOf(t *testing.T, name string) pair {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := p.book.Contact(name)
	if err != nil {
		t.Fatal(err)
	}
	pr, err := p.pairWith(c)
	if err != nil {
		t.Fatal(err)
	}
	return pr
}
