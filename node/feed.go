// What happens, for whoever watches.

package node

import "sync"

// EventKind says what happened.
type EventKind string

// What can happen. The set may grow; a reader ignores what it does not know.
const (
	EventProgress   EventKind = "progress"   // Text says what is being done, and why it takes time
	EventReachable  EventKind = "reachable"  // our onion service is published
	EventInvitation EventKind = "invitation" // Contact asks to be in touch
	EventInvited    EventKind = "invited"    // our invitation lies in Contact's inbox
	EventConnected  EventKind = "connected"  // a tunnel to Contact stands
	EventLost       EventKind = "lost"       // it does not any more
	EventMessage    EventKind = "message"    // Contact wrote; the text is in the book
	EventDelivered  EventKind = "delivered"  // a message of ours is safe with Contact
	EventCall       EventKind = "call"       // a call with Contact: Text is how it stands
)

// Event is one thing that happened. Text is ours, never a contact's.
type Event struct {
	Kind    EventKind `json:"kind"`
	Contact string    `json:"contact,omitempty"`
	Text    string    `json:"text,omitempty"`
}

// feedRoom is how many events wait for one slow reader; then the oldest go.
const feedRoom = 128

// feed tells every watcher what happens.
type feed struct {
	mu     sync.Mutex
	closed bool
	subs   map[chan Event]struct{}
}

// Watch returns a channel of what happens from now on, and a function that ends it. The channel
// closes when the node ends. A reader that falls 128 events behind misses the oldest.
func (n *Node) Watch() (<-chan Event, func()) { return n.feed.watch() }

func (f *feed) watch() (<-chan Event, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ch := make(chan Event, feedRoom)
	if f.closed {
		close(ch)
		return ch, func() {}
	}
	if f.subs == nil {
		f.subs = map[chan Event]struct{}{}
	}
	f.subs[ch] = struct{}{}
	return ch, func() { f.drop(ch) }
}

func (f *feed) drop(ch chan Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.subs[ch]; ok {
		delete(f.subs, ch)
		close(ch)
	}
}

func (f *feed) tell(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch := range f.subs {
		select {
		case ch <- e:
			continue
		default:
		}
		select {
		case <-ch:
		default:
		}
		ch <- e // only tell sends, under mu, so there is room now
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for ch := range f.subs {
		delete(f.subs, ch)
		close(ch)
	}
}
