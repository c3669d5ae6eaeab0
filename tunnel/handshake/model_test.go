// A model of the network: every order in which messages of two crossing handshakes can be lost,
// doubled, reordered, reflected or forged, up to a depth, and what must hold after each.

package handshake

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// A world is two contacts that call each other at the same moment, and a network that holds every
// message that was sent.
type world struct {
	pair    *pair
	calls   [2]*Initiation
	doors   [2]*Memory
	sent    [][]byte
	made    [2][]*Session // by finishing a call
	claimed [2][]*Session // by answering one
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

// An event delivers message number at to a side: to its call, or to its door.
type event struct {
	at, side     int
	door, forged bool
}

// do carries an event out if there is such a message.
func (w *world) do(t *testing.T, e event) {
	if e.at >= len(w.sent) {
		return
	}
	wire := bytes.Clone(w.sent[e.at])
	if e.forged {
		wire[len(wire)/2] ^= 4
	}
	if !e.door {
		s, err := w.calls[e.side].Finish(wire)
		if err == nil {
			w.made[e.side] = append(w.made[e.side], s)
			w.calls[e.side] = &Initiation{answer: [32]byte{0xff}} // its user stops reading answers
		} else if !errors.Is(err, ErrStranger) && !errors.Is(err, ErrForged) {
			t.Error("finish:", err)
		}
		return
	}
	peers := []Peer{w.peer(1 - e.side)}
	s, reply, err := Answer(w.key(e.side), peers, now, w.doors[e.side], wire)
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
}

// check is what must always hold.
func (w *world) check(t *testing.T, path []event) {
	for side := range 2 {
		if len(w.made[side]) > 1 || len(w.claimed[side]) > 1 {
			t.Fatal("two sessions of one call after", path)
		}
		for _, s := range w.made[side] {
			if len(w.claimed[1-side]) != 1 || w.claimed[1-side][0].Binding != s.Binding {
				t.Fatal("a session that the other side does not have after", path)
			}
		}
	}
}

// settle delivers what is left, in order: calls that were not finished must now be.
func (w *world) settle(t *testing.T, path []event) {
	for i := 0; i < len(w.sent); i++ {
		side := 1 - w.from[string(w.sent[i])]
		w.do(t, event{at: i, side: side, door: true})
		w.do(t, event{at: i, side: side})
	}
	w.check(t, path)
	for side := range 2 {
		if len(w.made[side]) != 1 {
			t.Fatal("no session with both alive after", path)
		}
		a, b := w.made[side][0], w.claimed[1-side][0]
		talks(t, a, b)
	}
}

// state is what of a world decides what its messages do next.
func (w *world) state() string {
	var order []int
	for _, wire := range w.sent {
		order = append(order, w.from[string(wire)])
	}
	return fmt.Sprint(len(w.made[0]), len(w.made[1]), len(w.claimed[0]), len(w.claimed[1]), order)
}

// The search goes over states: from each that can be reached, every event is tried once, so every
// order of any length is covered, as far as a refused message leaves a state as it was. That it
// does is tried too: in each state all events that were refused happen again, one after another,
// before the rest is delivered.
func TestEveryOrderOfMessagesEndsInOneSessionEach(t *testing.T) {
	var all []event
	for at := range 4 {
		for side := range 2 {
			all = append(all, event{at, side, true, false}, event{at, side, false, false},
				event{at, side, true, true}, event{at, side, false, true})
		}
	}
	seen := map[string]bool{}
	for queue := [][]event{nil}; len(queue) > 0; queue = queue[1:] {
		var refused []event
		for _, e := range all {
			path := append(queue[0][:len(queue[0]):len(queue[0])], e)
			w := newWorld(t)
			for _, e := range path[:len(path)-1] {
				w.do(t, e)
			}
			before := w.state()
			w.do(t, e)
			w.check(t, path)
			after := w.state()
			if after == before {
				refused = append(refused, e)
			} else if !seen[after] {
				seen[after] = true
				queue = append(queue, path)
			}
		}
		w := newWorld(t)
		for _, e := range append(queue[0][:len(queue[0]):len(queue[0])], refused...) {
			w.do(t, e)
		}
		w.settle(t, queue[0])
	}
	if len(seen) < 10 {
		t.Error("states reached:", len(seen))
	}
	t.Log("states:", len(seen))
}
