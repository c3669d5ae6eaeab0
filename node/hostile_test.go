// Claims about contacts that are hostile, or that go away at the worst moment.
package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/talk"
)

// queue stores texts for a contact all at once, as if they had been written while it was away.
func (p *person) queue(t *testing.T, contact string, texts ...string) {
	t.Helper()
	err := p.change(func(b *book.Book) error {
		for _, text := range texts {
			if err := b.Queue(contact, newID(), text, time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// addressOf is the address of one of p's contacts.
func (p *person) addressOf(t *testing.T, contact string) card.Address {
	t.Helper()
	for _, c := range p.Contacts() {
		if c.Name == contact {
			return c.Address
		}
	}
	t.Fatal("no such contact")
	return card.Address{}
}

func TestContactThatHangsUpAtOnceIsNotDialledAllDay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		a := source.addressOf(t, "desk")
		over := make(chan struct{})
		go func() {
			for {
				select {
				case <-over:
					return
				case <-time.After(100 * time.Millisecond):
				}
				if l := source.linkTo(a); l != nil {
					_ = l.tun.Close()
				}
			}
		}()
		before := w.net.Circuits()
		<-time.After(2 * time.Hour)
		close(over)
		if n := w.net.Circuits() - before; n > 60 {
			t.Errorf("%d circuits in two hours to somebody who hangs up", n)
		}
	})
}

func TestHundredsOfTextsArriveOnceAndInOrderOverOneLink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		var texts []string
		for i := range linkRoom + 50 {
			texts = append(texts, fmt.Sprint(i))
		}
		l := source.linkTo(source.addressOf(t, "desk"))
		source.queue(t, "desk", texts...)
		poke(l.more)
		for range texts {
			w.await(source, EventDelivered)
		}
		got, err := desk.Messages("source", false)
		if err != nil || len(got) != len(texts) {
			t.Fatalf("%d of %d arrived, err %v", len(got), len(texts), err)
		}
		for i, e := range got {
			if e.Message.Text != texts[i] {
				t.Fatalf("text %d is %q", i, e.Message.Text)
			}
		}
		if source.linkTo(source.addressOf(t, "desk")) != l {
			t.Error("the link was given up")
		}
	})
}

func TestTextsThatFindNoRoomWaitAndTheLinkStands(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		<-time.After(time.Minute) // dials that crossed have settled
		l := desk.linkTo(desk.addressOf(t, "source"))
		var texts []string
		for range 20 {
			texts = append(texts, strings.Repeat("x", talk.MaxText))
		}
		source.queue(t, "desk", texts...)
		poke(source.linkTo(source.addressOf(t, "desk")).more)
		<-time.After(10 * time.Minute)
		if desk.linkTo(desk.addressOf(t, "source")) != l {
			t.Error("a full vault ended the link")
		}
		got, err := desk.Messages("source", true)
		if err != nil || len(got) == 0 || len(got) >= len(texts) {
			t.Fatalf("%d of %d texts were stored, err %v", len(got), len(texts), err)
		}
		<-time.After(10 * time.Minute)
		if got, _ = desk.Messages("source", false); len(got) != len(texts) {
			t.Errorf("after reading %d of %d texts are there", len(got), len(texts))
		}
	})
}

func TestRemovalEndsTheCallToo(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, newFakePhone()), w.start(1, nil)
		w.befriend(desk, source)
		c, err := source.Dial(t.Context(), "desk", []talk.Codec{talk.PCMU})
		if err != nil {
			t.Fatal(err)
		}
		<-c.Events()
		<-c.Events()
		<-time.After(5 * time.Second)
		if err := desk.Remove("source"); err != nil {
			t.Fatal(err)
		}
		<-time.After(5 * time.Second)
		if n := desk.Status().Calls; n != 0 {
			t.Errorf("%d calls with a contact that was removed go on", n)
		}
	})
}

func TestCallThatCouldNotBeginLeavesTheContactFree(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, newFakePhone()), w.start(1, nil)
		w.befriend(desk, source)
		a := source.addressOf(t, "desk")
		good := source.linkTo(a)
		source.mu.Lock()
		source.links[a] = &link{tun: good.tun, born: good.born} // takes nothing
		source.mu.Unlock()
		codecs := []talk.Codec{talk.PCMU}
		if _, err := source.Dial(t.Context(), "desk", codecs); !errors.Is(err, ErrNotLinked) {
			t.Fatalf("a call over a link that takes nothing: %v", err)
		}
		if n := source.Status().Calls; n != 0 {
			t.Errorf("%d calls that never began are remembered", n)
		}
	})
}

// countingPhone counts how often it rings.
type countingPhone struct{ rang atomic.Int32 }

func (p *countingPhone) Deliver(_, _ string) bool { return true }
func (p *countingPhone) Incoming(context.Context, talk.Call) {
	p.rang.Add(1)
}

func TestFloodOfCallsRingsLikeAPersonWould(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		phone := &countingPhone{}
		desk, source := w.start(0, phone), w.start(1, nil)
		w.befriend(desk, source)
		l := source.linkTo(source.addressOf(t, "desk"))
		for range linkRoom / 4 {
			id := newID()
			offer := talk.Record{Kind: talk.KindOffer, ID: id[:], Codecs: talk.Codecs()}
			end := talk.Record{Kind: talk.KindEnd, ID: id[:], Reason: talk.Canceled}
			if err := errors.Join(l.say(offer), l.say(end)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		<-time.After(2 * time.Second)
		if n := phone.rang.Load(); n != 1 {
			t.Errorf("the phone rang %d times in two seconds", n)
		}
		if n := desk.Status().Calls; n != 0 {
			t.Errorf("%d calls are left", n)
		}
	})
}

func TestLinkThatComesAsTheNodeStopsEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		source.stop()
		w.await(desk, EventLost)
		path := w.net.Path()
		defer path.Close()
		late, err := New(Config{Identity: source.id, Path: path, Meeting: w.dht})
		if err != nil {
			t.Fatal(err)
		}
		l := late.tryLink(t.Context(), source.addressOf(t, "desk")) // its crew takes no more work
		if l == nil {
			t.Fatal("desk was not reached")
		}
		select {
		case <-l.tun.Done():
		default:
			t.Error("a tunnel that nobody looks after stands")
		}
	})
}

func TestAcknowledgementsOfNothingWriteNothing(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		vault := func() os.FileInfo {
			info, err := os.Stat(filepath.Join(vaultDir, "desk"))
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
		synctest.Wait()
		before := vault() // every write makes a new file
		l := source.linkTo(source.addressOf(t, "desk"))
		for range 3 {
			id := newID()
			if err := l.say(talk.Record{Kind: talk.KindAck, ID: id[:]}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if !os.SameFile(before, vault()) {
			t.Error("a contact made us write the vault for nothing")
		}
		if err := desk.SetName("desk"); err != nil || os.SameFile(before, vault()) {
			t.Errorf("a write is not seen, err %v", err)
		}
	})
}
