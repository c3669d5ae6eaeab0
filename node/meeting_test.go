// Claims about invitations and reach records over hours and days.
package node

import (
	"testing"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
)

// forget empties the inboxes, as the DHT does after two hours.
func (d *dht) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.inboxes)
}

func TestInvitationReachesSomebodyWhoWasAwayForADay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		line, err := desk.Card(false)
		if err != nil {
			t.Fatal(err)
		}
		desk.stop()
		if _, err := source.Invite(line, "desk", ""); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventInvited)
		<-time.After(22 * time.Hour)
		w.dht.forget()
		<-time.After(2 * time.Hour)
		w.await(w.start(0, nil), EventInvitation)
	})
}

func TestInvitationNobodyAnswersIsNotLeftForEver(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.invite(desk, source)
		desk.stop()
		<-time.After(inviteTime + 3*time.Hour)
		w.dht.forget()
		<-time.After(24 * time.Hour)
		if len(w.dht.inboxes) != 0 {
			t.Error("an invitation is left after more than a week")
		}
	})
}

func TestTwoWhoInviteEachOtherMeetThoughBothFirstInvitationsAreLost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		lines := [2]string{}
		for i, p := range []*person{desk, source} {
			var err error
			if lines[i], err = p.Card(false); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := desk.Invite(lines[1], "source", ""); err != nil {
			t.Fatal(err)
		}
		w.await(desk, EventInvited)
		w.dht.forget()
		if _, err := source.Invite(lines[0], "desk", ""); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventInvited)
		desk.Check() // desk knows; source has seen nothing yet
		<-time.After(10 * time.Second)
		w.dht.forget()
		desk.stop() // what desk knows is in the vault
		desk = w.start(0, nil)
		w.await(desk, EventConnected)
		w.await(source, EventConnected)
	})
}

func TestOthersLearnTheNewServiceAtOnceAfterARemoval(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source, third := w.start(0, nil), w.start(1, nil), w.start(2, nil)
		w.befriend(desk, source)
		if err := desk.Accept(w.invite(desk, third), "third"); err != nil {
			t.Fatal(err)
		}
		w.await(third, EventConnected)
		<-time.After(time.Minute)
		if err := desk.Remove("third"); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		pr := source.pairOf(t, "desk")
		reach, err := w.dht.Find(t.Context(), pr.peer.Root, pr.theirs)
		if err != nil {
			t.Fatal(err)
		}
		tun, err := source.dialTunnel(t.Context(), reach, pr.peer)
		if err != nil {
			t.Fatalf("source knows only the old service: %v", err)
		}
		_ = tun.Close()
	})
}

func TestRemovedContactDoesNotAskAgainByItsOldInvitation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		if err := desk.Remove("source"); err != nil {
			t.Fatal(err)
		}
		desk.Check()
		<-time.After(time.Hour)
		if n := len(desk.Contacts()); n != 0 {
			t.Errorf("%d contacts", n)
		}
	})
}

func TestInvitingAgainRightAfterRemovalLeavesTheNewInvitation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		line, err := desk.Card(false)
		if err != nil {
			t.Fatal(err)
		}
		if err := source.Remove("desk"); err != nil {
			t.Fatal(err)
		}
		if _, err := source.Invite(line, "desk", ""); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventInvited)
	})
}

func TestCardTellsNothingOfTheCardsWeHold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.invite(desk, source)
		line, err := source.Card(false)
		if err != nil {
			t.Fatal(err)
		}
		c, err := card.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		var learned, nodes int
		source.look(func(b *book.Book) { learned, nodes = len(b.Learned), len(b.Nodes) })
		if learned != 1 || len(c.Gateways) != 1 || len(c.Nodes) != 0 {
			t.Errorf("knows %d gateways and %d nodes by cards; its own card shows %d and %d",
				learned, nodes, len(c.Gateways), len(c.Nodes))
		}
	})
}

func TestNameNoCardCanCarryIsRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk := w.start(0, nil)
		if desk.SetName("two\nlines") == nil {
			t.Error("a name of two lines was taken")
		}
		if _, err := desk.Card(false); err != nil {
			t.Error("no card can be made")
		}
	})
}
