// The engine behind the doors, in memory: two identities that know each other.

package sip

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/talk"
	"nightjar/sip/sockets"
)

const (
	password = "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"
	doorA    = "127.0.0.1:5060"
	doorB    = "127.0.0.1:5061"
)

// callEnd is one side of a call in memory. It meets talk.Call.
type callEnd struct {
	contact string
	offer   []talk.Codec
	events  chan talk.Event
	frames  chan talk.Frame
	peer    *callEnd
	shared  *callState
}

type callState struct {
	mu       sync.Mutex
	answered bool
	ended    bool
}

// newCallPair makes the two ends of a call: the caller calls "bob" and is called "alice" there.
func newCallPair(caller, callee string, offer []talk.Codec) (from, to *callEnd) {
	shared := &callState{}
	mk := func(contact string) *callEnd {
		return &callEnd{contact: contact, offer: offer, events: make(chan talk.Event, 33),
			frames: make(chan talk.Frame, 64), shared: shared}
	}
	from, to = mk(callee), mk(caller)
	from.peer, to.peer = to, from
	return from, to
}

var errTurn = errors.New("not now")

// tell gives the far side an event, if the call is in a state for it.
func (c *callEnd) tell(answered bool, e talk.Event, then func()) error {
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	if c.shared.ended || c.shared.answered != answered {
		return errTurn
	}
	c.peer.events <- e
	if then != nil {
		then()
	}
	return nil
}

func (c *callEnd) Contact() string           { return c.contact }
func (c *callEnd) Offer() []talk.Codec       { return c.offer }
func (c *callEnd) Events() <-chan talk.Event { return c.events }
func (c *callEnd) Frames() <-chan talk.Frame { return c.frames }

func (c *callEnd) Ring() error {
	return c.tell(false, talk.Event{Kind: talk.Ringing}, nil)
}

func (c *callEnd) Hold(on bool) error {
	return c.tell(true, talk.Event{Kind: talk.Held, On: on}, nil)
}

func (c *callEnd) DTMF(d byte) error {
	return c.tell(true, talk.Event{Kind: talk.Dialed, Digit: d}, nil)
}

func (c *callEnd) Answer(codec talk.Codec) error {
	if !slices.Contains(c.offer, codec) {
		return errTurn
	}
	return c.tell(false, talk.Event{Kind: talk.Answered, Codec: codec},
		func() { c.shared.answered = true })
}

func (c *callEnd) End(r talk.Reason) error {
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	if c.shared.ended {
		return nil
	}
	c.shared.ended = true
	c.peer.events <- talk.Event{Kind: talk.Ended, Reason: r}
	for _, e := range []*callEnd{c, c.peer} {
		close(e.events)
		close(e.frames)
	}
	return nil
}

func (c *callEnd) Send(f talk.Frame) error {
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	if c.shared.ended {
		return errTurn
	}
	select {
	case c.peer.frames <- f:
	default:
		<-c.peer.frames
		c.peer.frames <- f
	}
	return nil
}

// fakeEngine reaches one contact: the other door.
type fakeEngine struct {
	self, contact string
	other         *Phone
	mu            sync.Mutex
	texts         []string
	online        bool
	refuse        error
	codecs        []talk.Codec // of the last Dial
	tap           func(*callEnd)
}

func (e *fakeEngine) Contacts() []string { return []string{e.contact} }

func (e *fakeEngine) Send(_ context.Context, _, text string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil {
		return e.refuse
	}
	e.texts = append(e.texts, text)
	if e.other != nil {
		go e.other.Deliver(e.self, text)
	}
	return nil
}

func (e *fakeEngine) Dial(ctx context.Context, _ string, offer []talk.Codec) (talk.Call, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil {
		return nil, e.refuse
	}
	e.codecs = offer
	from, to := newCallPair(e.self, e.contact, offer)
	if e.tap != nil {
		e.tap(to)
	} else {
		go e.other.Incoming(context.WithoutCancel(ctx), to)
	}
	return from, nil
}

func (e *fakeEngine) Online(string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.online
}

func (e *fakeEngine) set(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
}

// world is two doors, the engine between them, and the loopback they are on.
type world struct {
	t      *testing.T
	net    *sockets.Memory
	a, b   *Phone
	ea, eb *fakeEngine
}

// scene runs act in a bubble with two doors: alice's at doorA, bob's at doorB.
func scene(t *testing.T, act func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, net: sockets.NewMemory(),
			ea: &fakeEngine{self: "alice", contact: "bob"},
			eb: &fakeEngine{self: "bob", contact: "alice"}}
		open := func(user, at string, e Engine) *Phone {
			p, err := New(Config{Listen: at, User: user, Password: password, Sockets: w.net}, e)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		w.a, w.b = open("alice", doorA, w.ea), open("bob", doorB, w.eb)
		w.ea.other, w.eb.other = w.b, w.a
		ctx, stop := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { w.a.Run(ctx) })
		wg.Go(func() { w.b.Run(ctx) })
		defer wg.Wait()
		defer stop()
		synctest.Wait()
		act(w)
	})
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
