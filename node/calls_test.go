// Claims about calls between two nodes, under fake time.
package node

import (
	"context"
	"testing"
	"time"

	"nightjar/node/talk"
)

// fakePhone answers every call with the first codec offered and speaks back what it hears.
type fakePhone struct {
	texts chan string
	keys  chan byte
}

func newFakePhone() *fakePhone {
	return &fakePhone{texts: make(chan string, 8), keys: make(chan byte, 8)}
}

func (p *fakePhone) Deliver(_, text string) bool { p.texts <- text; return true }

func (p *fakePhone) Incoming(ctx context.Context, c talk.Call) {
	_ = c.Ring()
	_ = c.Answer(c.Offer()[0])
	for {
		select {
		case e := <-c.Events():
			if e.Kind == talk.Dialed {
				p.keys <- e.Digit
			}
			if e.Kind == talk.Ended {
				return
			}
		case f, open := <-c.Frames():
			if !open {
				return
			}
			_ = c.Send(f)
		case <-ctx.Done():
			return
		}
	}
}

func TestCallRingsAndCarriesAudioBothWays(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		phone := newFakePhone()
		desk, source := w.start(0, phone), w.start(1, nil)
		w.befriend(desk, source)
		c, err := source.Dial(t.Context(), "desk", []talk.Codec{talk.PCMU})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []talk.EventKind{talk.Ringing, talk.Answered} {
			if e := <-c.Events(); e.Kind != want {
				t.Fatalf("heard %d, want %d", e.Kind, want)
			}
		}
		go func() {
			for i := range 100 {
				<-time.After(20 * time.Millisecond)
				_ = c.Send(talk.Frame{Seq: uint16(i), Payload: make([]byte, 160)})
			}
			_ = c.DTMF('7')
			<-time.After(time.Second)
			_ = c.End(talk.Hangup)
		}()
		echoed := 0
		for range c.Frames() {
			echoed++
		}
		if echoed < 60 { // frames from before the lane stood are lost
			t.Errorf("%d of 100 frames came back", echoed)
		}
		if k := <-phone.keys; k != '7' {
			t.Errorf("key %q arrived", k)
		}
	})
}

func TestCallToNobodyIsUnavailable(t *testing.T) {
	onBothWays(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		c, err := source.Dial(t.Context(), "desk", []talk.Codec{talk.PCMU})
		if err != nil {
			t.Fatal(err)
		}
		if e := <-c.Events(); e.Kind != talk.Ended || e.Reason != talk.Unavailable {
			t.Errorf("heard %d, %v", e.Kind, e.Reason)
		}
		desk.stop()
		w.await(source, EventLost)
		if _, err := source.Dial(t.Context(), "desk", []talk.Codec{talk.PCMU}); err == nil {
			t.Error("a contact that is away could be called")
		}
	})
}

func TestMessageReachesThePhone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		phone := newFakePhone()
		desk, source := w.start(0, phone), w.start(1, nil)
		w.befriend(desk, source)
		if _, err := source.Send(t.Context(), "desk", "on your phone"); err != nil {
			t.Fatal(err)
		}
		if text := <-phone.texts; text != "on your phone" {
			t.Errorf("the phone shows %q", text)
		}
	})
}
