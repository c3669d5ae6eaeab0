// A model of the network: every order in which messages of two crossing handshakes can be lost,
// doubled, reordered, reflected or forged, and what must hold after each. The handshakes are the
// real ones.

package handshake

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// A world is two contacts that call each other at the same moment, and a network that holds every
// message that was sent. A call that is finished sends its first record.
type world struct {
	pair    *pair
	calls   [2]*Initiation
	doors   [2]*Memory
	sent    [][]byte
	made    [2][]*Session // by finishing a call
	claimed [2][]*Session // by answering one
	proved  [2][]*Session // claimed, and the first record has opened
	from    map[string]int
}

func newWorld(t *testing.T) *world {
	w := &world{pair: newPair(t), from: map[string]int{}}
	w.doors = [2]*Memory{new(Memory), new(Memory)}
	for side := range w.calls {
		in, wire, err := Start(w.key(side), w.peer(1-side), now)
		if err != nil {
			t.Fatal(err)
		}
		w.calls[side] = in
		w.send(wire, side)
	}
	return w
}

func (w *world) key(side int) Key   { return []Key{w.pair.aKey, w.pair.bKey}[side] }
func (w *world) peer(side int) Peer { return []Peer{w.pair.a, w.pair.b}[side] }

func (w *world) send(wire []byte, side int) {
	w.from[string(wire)] = side
	w.sent = append(w.sent, wire)
}

// An event delivers message number at to a side: to its call, to its door, or as a record to what
// its door has claimed.
type event struct {
	at, side int
	to       target
	forged   bool
}

type target int

const (
	call target = iota
	door
	session
	targets
)

// do carries an event out.
func (w *world) do(t *testing.T, e event) {
	wire := bytes.Clone(w.sent[e.at])
	if e.forged {
		wire[len(wire)/2] ^= 4
	}
	switch e.to {
	case call:
		w.finish(t, e.side, wire)
	case door:
		s, reply, err := Answer(w.key(e.side), []Peer{w.peer(1 - e.side)}, now, w.doors[e.side],
			wire)
		if err != nil {
			if reply != nil || s != nil {
				t.Error("a refused message has an answer")
			}
			return
		}
		if e.forged || w.from[string(wire)] == e.side {
			t.Error("answered a message that nobody sent to it")
		}
		w.claimed[e.side] = append(w.claimed[e.side], s)
		w.send(reply, e.side)
	case session:
		for _, s := range w.claimed[e.side] {
			if opens(s.Receive, wire) {
				w.proved[e.side] = append(w.proved[e.side], s)
			}
		}
	}
}

// finish gives a call a message for an answer.
func (w *world) finish(t *testing.T, side int, wire []byte) {
	s, err := w.calls[side].Finish(wire)
	if err != nil {
		if !errors.Is(err, ErrStranger) && !errors.Is(err, ErrForged) {
			t.Error("finish:", err)
		}
		return
	}
	w.made[side] = append(w.made[side], s)
	w.calls[side] = &Initiation{answer: [32]byte{0xff}} // its user stops reading answers
	w.send(seal(t, s.Send, "first"), side)
}

// check fails unless what must always hold does.
func (w *world) check(t *testing.T, path []event) {
	if fault := w.fault(); fault != "" {
		t.Fatal(fault, "after", path)
	}
}

// fault says what does not hold that must.
func (w *world) fault() string {
	for side := range 2 {
		if len(w.made[side]) > 1 || len(w.claimed[side]) > 1 || len(w.proved[side]) > 1 {
			return "two sessions of one call"
		}
		for _, s := range w.made[side] {
			if len(w.claimed[1-side]) != 1 || w.claimed[1-side][0].Binding != s.Binding {
				return "a session that the other side does not have"
			}
		}
		for _, s := range w.proved[side] {
			if len(w.made[1-side]) != 1 || w.made[1-side][0].Binding != s.Binding {
				return "a session that is proved to one side alone"
			}
		}
	}
	return ""
}

// settle delivers what is left, in order: calls that were not finished must now be.
func (w *world) settle(t *testing.T, path []event) {
	for i := 0; i < len(w.sent); i++ {
		side := 1 - w.from[string(w.sent[i])]
		for to := range targets {
			w.do(t, event{at: i, side: side, to: to})
		}
	}
	w.check(t, path)
	for side := range 2 {
		if len(w.made[side]) != 1 || len(w.proved[1-side]) != 1 {
			t.Fatal("no session with both alive after", path)
		}
		talks(t, w.made[side][0], w.proved[1-side][0])
	}
}

// state is what of a world decides what its messages do next.
func (w *world) state() string {
	var order []int
	for _, wire := range w.sent {
		order = append(order, w.from[string(wire)], len(wire))
	}
	return fmt.Sprint(len(w.made[0]), len(w.made[1]), len(w.claimed[0]), len(w.claimed[1]),
		len(w.proved[0]), len(w.proved[1]), order)
}

// events are all that can happen in a world to what has been sent in it.
func (w *world) events() (all []event) {
	for at := range w.sent {
		for side := range 2 {
			for to := range targets {
				all = append(all, event{at, side, to, true}, event{at, side, to, false})
			}
		}
	}
	return all
}

// The search goes over states: in each that can be reached, every event is tried, so every order
// of any length is covered, as far as a refused message leaves a state as it was. That it does is
// tried too: refused messages are given one after another to the same world, and after all of them
// what is left must still end in one session for each call.
func TestEveryOrderOfMessagesEndsInOneSessionEach(t *testing.T) {
	again := func(path []event) *world {
		w := newWorld(t)
		for _, e := range path {
			w.do(t, e)
		}
		return w
	}
	tried, start := 0, newWorld(t)
	seen := map[string]bool{start.state(): true}
	for queue := [][]event{nil}; len(queue) > 0; queue = queue[1:] {
		w, refused := again(queue[0]), []event(nil)
		before := w.state()
		for _, e := range w.events() {
			path := append(queue[0][:len(queue[0]):len(queue[0])], e)
			w.do(t, e)
			w.check(t, path)
			tried++
			after := w.state()
			if after == before {
				refused = append(refused, e)
				continue
			}
			if !seen[after] {
				seen[after] = true
				queue = append(queue, path)
			}
			w = again(queue[0])
		}
		w = again(append(queue[0][:len(queue[0]):len(queue[0])], refused...))
		w.settle(t, queue[0])
	}
	if len(seen) != 45 || tried != 2832 {
		t.Error("the model is another: states:", len(seen), "events tried:", tried)
	}
}

// A door that forgets what it has answered gives one call two sessions; the model's check sees it.
func TestModelNoticesAForgetfulDoor(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		w.do(t, event{at: 0, side: 1, to: door})
		w.doors[1] = new(Memory)
	}
	if fault := w.fault(); fault == "" {
		t.Error("two answers to one call went unnoticed")
	}
	w.claimed[1] = w.claimed[1][1:]
	w.do(t, event{at: 2, side: 0, to: call})
	if fault := w.fault(); fault == "" {
		t.Error("a session that one side alone has went unnoticed")
	}
}
