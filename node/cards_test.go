// Claims about cards, doorbells and those who are not wanted.
package node

import (
	"errors"
	"io"
	"testing"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/onion"
)

// newCard makes a card.
func (w *world) newCard(p *person, o CardOptions) string {
	w.t.Helper()
	line, err := p.NewCard(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return line
}

func TestCardForOneLetsOneIn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source, third := w.start(0, nil), w.start(1, nil), w.start(2, nil)
		line := w.newCard(desk, CardOptions{Uses: 1})
		for _, p := range []*person{source, third} {
			if _, err := p.Invite(line, "desk", ""); err != nil {
				t.Fatal(err)
			}
			w.await(p, EventInvited)
		}
		desk.Check()
		name := w.await(desk, EventInvitation).Contact
		w.await(desk, EventInvitation)
		if err := desk.Accept(name, "first"); err != nil {
			t.Fatal(err)
		}
		w.await(desk, EventConnected)
		desk.Check()
		<-time.After(2 * time.Hour)
		if n := len(desk.Contacts()); n != 1 || len(desk.Cards()) != 0 {
			t.Errorf("%d contacts, %d cards", n, len(desk.Cards()))
		}
	})
}

func TestRevokedCardOpensNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		line := w.newCard(desk, CardOptions{For: 24 * time.Hour})
		if err := desk.RevokeCard(desk.Cards()[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := desk.RevokeCard("00000000"); !errors.Is(err, book.ErrNoCard) {
			t.Error(err)
		}
		if _, err := source.Invite(line, "desk", ""); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventInvited)
		desk.Check()
		<-time.After(3 * time.Hour)
		if n := len(desk.Contacts()); n != 0 {
			t.Errorf("%d ask", n)
		}
	})
}

func TestCardIsGoodAsLongAsItSays(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		line := w.newCard(desk, CardOptions{For: 5 * time.Hour})
		if c := desk.Cards(); len(c) != 1 || time.Until(c[0].Expires) > 5*time.Hour {
			t.Errorf("%+v", c)
		}
		<-time.After(6 * time.Hour)
		if _, err := source.Invite(line, "desk", ""); !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
		if len(desk.Cards()) != 0 {
			t.Error("it is still listed")
		}
	})
}

func TestBlockedPersonIsNotHeardAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		if err := desk.Block(w.invite(desk, source)); err != nil {
			t.Fatal(err)
		}
		again := func(block bool) int {
			if err := source.Remove("desk"); err != nil {
				t.Fatal(err)
			}
			if !block {
				_ = desk.change(func(b *book.Book) error {
					b.Unblock(source.Status().Address)
					return nil
				})
			}
			if _, err := source.Invite(w.newCard(desk, CardOptions{}), "desk", ""); err != nil {
				t.Fatal(err)
			}
			w.await(source, EventInvited)
			desk.Check()
			<-time.After(time.Hour)
			return len(desk.Contacts())
		}
		if n := again(true); n != 0 {
			t.Errorf("%d ask", n)
		}
		if n := again(false); n != 1 {
			t.Errorf("%d ask when refusal is all there is: this test proves nothing", n)
		}
	})
}

func TestInvitationComesByTheDoorbellWithoutTheDHT(t *testing.T) {
	for _, both := range []bool{false, true} {
		inWorld(t, func(t *testing.T, w *world) {
			desk, source := w.start(0, nil), w.start(1, nil)
			line := w.newCard(desk, CardOptions{Bell: true})
			<-time.After(time.Minute)
			o := InviteOptions{Name: "desk", Both: both}
			if _, _, err := source.InviteBy(line, o); err != nil {
				t.Fatal(err)
			}
			w.await(source, EventInvited)
			name := w.await(desk, EventInvitation).Contact
			if left := len(w.dht.inboxes) > 0; left != both {
				t.Errorf("both %v, in the inbox %v", both, left)
			}
			if err := desk.Accept(name, "source"); err != nil {
				t.Fatal(err)
			}
			w.await(desk, EventConnected)
		})
	}
}

func TestInboxServesWhenNobodyAnswersTheDoorbell(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		line := w.newCard(desk, CardOptions{Bell: true})
		desk.stop()
		if _, err := source.Invite(line, "desk", ""); err != nil {
			t.Fatal(err)
		}
		w.await(source, EventInvited)
		w.await(w.start(0, nil), EventInvitation)
	})
}

func TestDoorbellSaysTheSameToEverybody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		c, err := card.Parse(w.newCard(desk, CardOptions{Bell: true}))
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		ring := func(what []byte) string {
			conn, err := source.path.Dial(t.Context(),
				onion.Remote{ID: c.Doorbell.ID, Port: c.Doorbell.Port}, "")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = conn.Write(what)
			b, _ := io.ReadAll(conn)
			return string(b)
		}
		junk := make([]byte, card.SealedSize)
		for range bellBurst + 4 { // and it does not fall to a flood
			if got := ring(junk); got != "\x01" {
				t.Fatalf("junk hears %q", got)
			}
		}
		if got := ring(nil); got != "" {
			t.Errorf("silence hears %q", got)
		}
		if len(desk.Contacts()) != 0 {
			t.Error("junk asks")
		}
	})
}

func TestCardWithoutDoorbellShowsNoPresence(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		plain, err := card.Parse(w.newCard(desk, CardOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		naive, err := card.Parse(w.newCard(desk, CardOptions{Bell: true}))
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if plain.Doorbell != (card.Gateway{}) {
			t.Error("an ordinary card names a doorbell")
		}
		if _, err := source.path.Dial(t.Context(),
			onion.Remote{ID: naive.Doorbell.ID, Port: naive.Doorbell.Port}, ""); err != nil {
			t.Error("the doorbell shows no presence either: this test proves nothing")
		}
	})
}
