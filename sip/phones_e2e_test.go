//go:build e2e

// Claims about real phones: unmodified baresip and linphonec at two doors, with recorded speech.

package sip

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightjar/audit/privnet/phone"
	"nightjar/audit/privnet/phone/sound"
	"nightjar/node/talk"
)

// realWorld is two doors on real sockets with the engine between them, and a phone at each:
// alice has baresip, bob linphonec.
type realWorld struct {
	t            *testing.T
	ctx          context.Context
	a, b         *Phone
	ea, eb       *fakeEngine
	alice, bob   phone.Phone
	saysA, saysB string
}

func newRealWorld(t *testing.T, alice, bob phone.Config) *realWorld {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &realWorld{t: t, ctx: ctx, ea: &fakeEngine{self: "alice", contact: "bob", online: true},
		eb: &fakeEngine{self: "bob", contact: "alice", online: true}}
	open := func(user string, e Engine) *Phone {
		p, err := New(Config{Listen: "127.0.0.1:0", User: user, Password: password}, e)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	w.a, w.b = open("alice", w.ea), open("bob", w.eb)
	w.ea.other, w.eb.other = w.b, w.a
	var wg sync.WaitGroup
	wg.Go(func() { w.a.Run(ctx) })
	wg.Go(func() { w.b.Run(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
	var err error
	if w.saysA, w.saysB, err = phone.Recordings(); err != nil {
		t.Fatal(err)
	}
	alice.Server, alice.User, alice.Peer, alice.Speech = w.a.Addr().String(), "alice", "bob", w.saysA
	bob.Server, bob.User, bob.Speech = w.b.Addr().String(), "bob", w.saysB
	for _, c := range []*phone.Config{&alice, &bob} {
		if c.Password == "" {
			c.Password = password
		}
	}
	if w.alice, err = phone.Baresip(ctx, alice); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.alice.Stop)
	if w.bob, err = phone.Linphone(ctx, bob); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.bob.Stop)
	return w
}

// must fails the test with what both phones said last.
func (w *realWorld) must(what string, seconds int, f func(context.Context) error) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, time.Duration(seconds)*time.Second)
	defer stop()
	if err := f(ctx); err != nil {
		w.t.Fatalf("%s: %v\nbaresip: %s\nlinphonec: %s", what, err, w.alice.Log(8), w.bob.Log(8))
	}
}

// talkFor lets time go by in a call.
func (w *realWorld) talkFor(d time.Duration) { <-time.After(d) }

// fits compares what a phone heard with what the other said.
func (w *realWorld) fits(who string, p phone.Phone, said string, least float64) {
	w.t.Helper()
	file, err := p.Heard()
	if err != nil {
		w.t.Fatalf("%s: %v", who, err)
	}
	h, err := sound.Read(file)
	if err != nil {
		w.t.Fatalf("%s: %v", who, err)
	}
	s, err := sound.Read(said)
	if err != nil {
		w.t.Fatal(err)
	}
	m := sound.Compare(s, h)
	w.t.Logf("%s heard %.1f s, %d windows of speech: median %.3f, best %.3f, lowest tenth %.3f",
		who, m.Heard, m.Windows, m.Median, m.Best, m.Low)
	if m.Median < least || m.Windows < 5 {
		w.t.Errorf("%s did not hear what was said", who)
	}
	own := w.saysA
	if said == w.saysA {
		own = w.saysB
	}
	if o, err := sound.Read(own); err != nil || sound.Compare(o, h).Median > 0.6 {
		w.t.Errorf("%s heard itself, or the comparison cannot tell: %v", who, err)
	}
}

// register waits until both phones are registered.
func (w *realWorld) register() {
	w.t.Helper()
	w.must("baresip registers", 20, w.alice.Registered)
	w.must("linphonec registers", 20, w.bob.Registered)
	if !w.a.Registered() || !w.b.Registered() {
		w.t.Fatal("the doors do not know it")
	}
}

func TestBaresipAndLinphoneTalkWriteHoldAndPressKeys(t *testing.T) {
	w := newRealWorld(t, phone.Config{Transport: "tcp"}, phone.Config{Transport: "udp"})
	w.register()
	w.must("baresip writes", 10, func(ctx context.Context) error {
		return w.alice.Write(ctx, "bob", "hello from baresip")
	})
	w.must("linphonec reads", 10, func(ctx context.Context) error {
		return w.bob.Got(ctx, "hello from baresip")
	})
	w.must("linphonec writes", 10, func(ctx context.Context) error {
		return w.bob.Write(ctx, "alice", "hello from linphonec")
	})
	w.must("baresip reads", 10, func(ctx context.Context) error {
		return w.alice.Got(ctx, "hello from linphonec")
	})
	w.must("baresip calls", 20, func(ctx context.Context) error { return w.alice.Call(ctx, "bob") })
	w.must("linphonec answers", 10, w.bob.Talking)
	if got := w.ea.codecs; !slices.Contains(got, talk.Opus) {
		t.Errorf("baresip offered %v", got)
	}
	w.talkFor(10 * time.Second)
	for _, k := range []byte("5#") {
		w.must("baresip presses", 5, func(ctx context.Context) error { return w.alice.Press(ctx, k) })
		w.must("linphonec hears the key", 8, func(ctx context.Context) error {
			return w.bob.Pressed(ctx, k)
		})
	}
	w.must("linphonec presses", 5, func(ctx context.Context) error { return w.bob.Press(ctx, '7') })
	w.must("baresip hears the key", 8, func(ctx context.Context) error {
		return w.alice.Pressed(ctx, '7')
	})
	w.must("baresip holds", 5, w.alice.Hold)
	w.talkFor(2 * time.Second)
	w.must("baresip resumes", 5, w.alice.Resume)
	w.talkFor(2 * time.Second)
	w.must("linphonec holds", 8, w.bob.Hold)
	w.talkFor(2 * time.Second)
	w.must("linphonec resumes", 8, w.bob.Resume)
	w.talkFor(3 * time.Second)
	w.must("baresip hangs up", 5, w.alice.HangUp)
	w.must("linphonec notices", 10, w.bob.Ended)
	w.fits("baresip", w.alice, w.saysB, 0.9)
	w.fits("linphonec", w.bob, w.saysA, 0.9)
}

func TestLinphoneCallsBaresipInEveryCodec(t *testing.T) {
	for _, codec := range []string{phone.PCMU, phone.PCMA, phone.G722, phone.Opus} {
		t.Run(codec, func(t *testing.T) {
			list := []string{codec}
			w := newRealWorld(t, phone.Config{Codecs: list, Transport: "udp"},
				phone.Config{Codecs: list, Transport: "tcp", InfoKeys: true})
			w.register()
			w.must("linphonec calls", 20, func(ctx context.Context) error {
				return w.bob.Call(ctx, "alice")
			})
			w.must("baresip answers", 10, w.alice.Talking)
			w.talkFor(7 * time.Second)
			w.must("linphonec presses", 5, func(ctx context.Context) error {
				return w.bob.Press(ctx, '9')
			})
			w.must("baresip hears the key", 8, func(ctx context.Context) error {
				return w.alice.Pressed(ctx, '9')
			})
			w.must("linphonec hangs up", 5, w.bob.HangUp)
			w.must("baresip notices", 10, w.alice.Ended)
			w.fits("baresip", w.alice, w.saysB, 0.9)
			w.fits("linphonec", w.bob, w.saysA, 0.9)
		})
	}
}

func TestEncryptedOnlyPhoneIsRefusedNotFooled(t *testing.T) {
	w := newRealWorld(t, phone.Config{}, phone.Config{Encrypt: true})
	w.register()
	ctx, stop := context.WithTimeout(w.ctx, 20*time.Second)
	defer stop()
	err := w.bob.Call(ctx, "alice")
	if err == nil || ctx.Err() != nil {
		t.Fatalf("a call that must be encrypted: %v", err)
	}
	if len(w.eb.codecs) != 0 {
		t.Error("the far side was dialed")
	}
}

func TestWrongPasswordKeepsARealPhoneOut(t *testing.T) {
	w := newRealWorld(t, phone.Config{Password: strings.Repeat("x", 32)}, phone.Config{})
	w.must("linphonec registers", 20, w.bob.Registered)
	ctx, stop := context.WithTimeout(w.ctx, 5*time.Second)
	defer stop()
	if err := w.alice.Registered(ctx); err == nil || w.a.Registered() {
		t.Fatalf("registered with a wrong password: %s", w.alice.Log(5))
	}
}
