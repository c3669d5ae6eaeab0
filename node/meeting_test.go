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
	onBothWays(t, func(t *testing.T, w *world) {
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

// ask lets p invite the owner of a card under a pre-shared key of the test's choice.
func (p *person) ask(t *testing.T, line, name string, psk [32]byte) {
	t.Helper()
	c, err := card.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.change(func(b *book.Book) error {
		return b.Add(book.Contact{Name: name, Address: c.Address, Standing: book.Invited,
			PSK: psk, Inbox: c.Inbox, Asked: time.Now().Unix() / 3600})
	}); err != nil {
		t.Fatal(err)
	}
	poke(p.rosterPoke)
}

func TestTwoWhoInviteEachOtherMeetThoughTheInvitationThatCountsWasLost(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		lines := [2]string{}
		for i, p := range []*person{desk, source} {
			var err error
			if lines[i], err = p.Card(false); err != nil {
				t.Fatal(err)
			}
		}
		source.stop() // it will not see what desk leaves first
		desk.ask(t, lines[1], "source", [32]byte{1})
		w.await(desk, EventInvited)
		w.dht.forget()
		source = w.start(1, nil)
		source.ask(t, lines[0], "desk", [32]byte{2})
		w.await(source, EventInvited)
		desk.Check()
		<-time.After(10 * time.Second)
		if c := desk.Contacts()[0]; c.Standing != book.Accepted || c.Connected {
			t.Fatalf("desk's contact is %v", c.Standing)
		}
		desk.stop() // what it knows is in the vault
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
	onBothWays(t, func(t *testing.T, w *world) {
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
		// Both in one step: nobody has looked in between.
		if err := source.change(func(b *book.Book) error { return b.Remove("desk") }); err != nil {
			t.Fatal(err)
		}
		source.ask(t, line, "desk", [32]byte{3})
		begin := time.Now()
		w.await(source, EventInvited)
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("the keeper of the old contact stayed for %v", took)
		}
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

func TestBareAddressReachesThoseWhoAreOpen(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		if _, err := source.Invite(desk.Status().Address.String(), "desk", ""); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventInvited)
		<-time.After(3 * time.Hour)
		if len(desk.Contacts()) != 0 {
			t.Fatal("the open inbox was looked into unasked")
		}
		if err := desk.SetOpen(true); err != nil {
			t.Fatal(err)
		}
		w.await(desk, EventInvitation)
	})
}
