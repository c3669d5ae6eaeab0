// The tunnel to a contact: found, dialled, kept, replaced.

package node

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/road"
	"nightjar/node/talk"
	"nightjar/tunnel"
)

const (
	linkRoom = 256         // records that wait for a slow tunnel; then the link is given up
	dialTime = time.Minute // for one attempt to reach a contact
	// Two links within this time were begun by both sides at once. It is longer than a dial takes,
	// so that two that did cross never fall on its edge, where the sides could disagree.
	crossing = dialTime + 10*time.Second
)

// errNotAccepted says that an invited contact has published nothing for us: it has not accepted,
// or is away. Nobody can tell which.
var errNotAccepted = errors.New("the contact is away or has not accepted yet")

// linkWaits is how long to wait between attempts to find a contact; the last is kept up.
var linkWaits = [...]time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second,
	2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute}

// memoryless are waits from this length on.
const memoryless = 10 * time.Minute

// steady is how long a link must have lived to count as a success: the contact is looked for again
// at once when it is lost. One that ended sooner is waited for like one that was not found.
const steady = time.Minute

// link is the tunnel to a contact that is there, and the stream messages and call records use.
type link struct {
	tun    tunnel.Tunnel
	stream net.Conn
	reach  card.Reach       // where we dialled; only the side that dialled knows it
	out    chan talk.Record // acknowledgements and what belongs to calls: at once
	texts  chan talk.Record // taken when nothing else waits
	more   chan struct{}    // holds one when there may be texts to send
	missed atomic.Bool      // a text of the contact could not be stored
	hinted bool             // the contact told of gateways; belongs to the reader of stream
	born   time.Time
}

func newLink(tun tunnel.Tunnel, stream net.Conn) *link {
	return &link{tun: tun, stream: stream, out: make(chan talk.Record, linkRoom),
		texts: make(chan talk.Record), more: make(chan struct{}, 1), born: time.Now()}
}

// keepLinked looks for a contact until a tunnel stands, and again when it is lost.
func (n *Node) keepLinked(ctx context.Context, a card.Address, k *keeper) {
	for step := 0; ctx.Err() == nil; step++ {
		l := n.linkTo(a)
		if l == nil {
			l = n.tryLink(ctx, a)
		}
		wait := linkWaits[min(step, len(linkWaits)-1)]
		if l != nil {
			select {
			case <-l.tun.Done():
			case <-ctx.Done():
				return
			}
			if time.Since(l.born) >= steady {
				step, wait = -1, 2*time.Second
			}
		}
		if n.woken(ctx, a, lookAgain(wait), k) {
			step = -1
		}
	}
}

// lookAgain is how long to wait before the next look into the DHT, about d: the longer waits, of
// which most looks are made, have no rhythm that could tell whose slots belong together.
func lookAgain(d time.Duration) time.Duration {
	if d < memoryless {
		return about(d)
	}
	return meet.Wait(d)
}

// woken waits like pause, and also for a tunnel that the contact brings about; it reports whether
// somebody asked for haste.
func (n *Node) woken(ctx context.Context, a card.Address, d time.Duration, k *keeper) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-n.moment(a):
			if n.knock(ctx, a) {
				return false
			}
		case <-k.haste:
			return n.linkTo(a) == nil
		case <-k.linked:
			if n.linkTo(a) != nil {
				return false
			}
		case <-t.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// wake makes the keeper of a contact look at once.
func (n *Node) wake(a card.Address) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if k := n.keepers[a]; k != nil {
		poke(k.haste)
	}
}

func (n *Node) linkTo(a card.Address) *link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.links[a]
}

// tryLink makes one attempt to find and reach a contact, and returns the link that stands then.
func (n *Node) tryLink(ctx context.Context, a card.Address) *link {
	c, p, err := n.contact(a)
	if err != nil {
		return nil
	}
	tell := func(text string) {
		n.feed.tell(Event{Kind: EventProgress, Contact: c.Name, Text: text})
	}
	tell("looking up where the contact can be reached, " + n.through())
	reach, err := n.findReach(ctx, c, p)
	if err != nil {
		tell("not found: " + why(err))
		return nil
	}
	n.note(a, reach)
	if l := n.linkTo(a); l != nil {
		return l // the contact was faster
	}
	tell("found; " + n.dialling())
	tun, err := n.dialTunnel(ctx, reach, p.peer)
	if err != nil {
		tell("not reached: " + why(err))
		return nil
	}
	return n.begin(ctx, a, tun, reach)
}

// begin makes a tunnel that we dialled the link to a contact, and returns the link that stands
// then.
func (n *Node) begin(ctx context.Context, a card.Address, tun tunnel.Tunnel, at card.Reach) *link {
	stream, err := tun.OpenStream(ctx)
	if err == nil {
		err = talk.WriteRecord(stream, talk.Record{Kind: talk.KindMain})
	}
	l := newLink(tun, stream)
	l.reach = at
	if err != nil || !n.install(a, l) {
		_ = tun.Close()
		return n.linkTo(a)
	}
	if !n.crew.spawn(func(ctx context.Context) { n.converse(ctx, a, l) }) {
		_ = tun.Close()
	}
	return l
}

// findReach looks into the contact's slot. What the invitation said is the second choice.
func (n *Node) findReach(ctx context.Context, c book.Contact, p pair) (card.Reach, error) {
	ctx, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	r, err := n.meet.Find(ctx, p.peer.Root, p.theirs)
	if err == nil {
		return r, nil
	}
	if len(c.Hint) > 0 && r.UnmarshalBinary(c.Hint) == nil && !r.Expired(time.Now()) {
		return r, nil
	}
	if c.Standing == book.Invited && errors.Is(err, errNotFound) {
		return r, errNotAccepted
	}
	return card.Reach{}, err
}

// dialTunnel reaches a contact where its record says, and shakes hands.
func (n *Node) dialTunnel(ctx context.Context, r card.Reach, p tunnel.Peer) (
	tunnel.Tunnel, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	return n.road.Dial(ctx, r, p)
}

// dialBeside makes a second tunnel to where a link leads, also if that has moved since.
func (n *Node) dialBeside(ctx context.Context, l *link, p tunnel.Peer) (tunnel.Tunnel, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	return n.road.Beside(ctx, l.tun, l.reach, p)
}

// converse works on an installed link until it ends.
func (n *Node) converse(ctx context.Context, a card.Address, l *link) {
	name := ""
	defer func() { n.uninstall(a, l, name) }()
	defer l.tun.Close()
	road.Cover(l.tun, n.cover)
	c, _, err := n.contact(a)
	if name = c.Name; err == nil && !c.Met {
		err = n.change(func(b *book.Book) error { return b.Confirm(a) })
	}
	if err != nil || !n.crew.spawn(func(ctx context.Context) { n.write(ctx, l) }) {
		return
	}
	n.feed.tell(Event{Kind: EventConnected, Contact: name})
	n.crew.spawn(func(ctx context.Context) { n.deliver(ctx, a, l) })
	n.hint(a, l)
	for {
		r, err := talk.ReadRecord(l.stream)
		if err != nil || n.hear(a, l, r) != nil {
			return
		}
	}
}

// install puts l in the place of the link we have. When both sides dialled at once both keep the
// tunnel that the lower address began; otherwise the newer one is the one that works.
func (n *Node) install(a card.Address, l *link) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.links[a]
	if old != nil {
		lower := bytes.Compare(n.self[:], a[:]) < 0
		crossed := l.born.Sub(old.born) < crossing
		if crossed && old.tun.Initiator() == lower && l.tun.Initiator() != lower {
			return false
		}
		n.crew.spawn(func(context.Context) { _ = old.tun.Close() })
	}
	n.links[a] = l
	if k := n.keepers[a]; k != nil {
		poke(k.linked)
	}
	return true
}

// uninstall forgets l, unless another link has taken its place, and ends what needed it.
func (n *Node) uninstall(a card.Address, l *link, name string) {
	n.mu.Lock()
	mine := n.links[a] == l
	if mine {
		delete(n.links, a)
		n.renote(a)
	}
	n.mu.Unlock()
	if mine {
		n.dropCalls(a)
		n.feed.tell(Event{Kind: EventLost, Contact: name})
	}
}

// unlink ends the link to a contact that was removed, and what was going on with it: audio has a
// tunnel of its own.
func (n *Node) unlink(a card.Address) {
	n.mu.Lock()
	l := n.links[a]
	delete(n.pairs, a)
	delete(n.keepers, a)
	delete(n.rang, a)
	delete(n.hinted, a)
	delete(n.found, a)
	n.mu.Unlock()
	n.dropCalls(a)
	if l != nil {
		_ = l.tun.Close()
	}
}

// write sends what is queued on a link, texts when nothing else waits.
func (n *Node) write(ctx context.Context, l *link) {
	defer l.tun.Close()
	for {
		var r talk.Record
		select {
		case r = <-l.out:
		default:
			select {
			case r = <-l.out:
			case r = <-l.texts:
			case <-l.tun.Done():
				return
			case <-ctx.Done():
				return
			}
		}
		if talk.WriteRecord(l.stream, r) != nil {
			return
		}
	}
}

// say queues a record for a contact that is connected.
func (n *Node) say(a card.Address, r talk.Record) error {
	l := n.linkTo(a)
	if l == nil {
		return ErrNotLinked
	}
	return l.say(r)
}

func (l *link) say(r talk.Record) error {
	select {
	case <-l.tun.Done():
		return ErrNotLinked
	default:
	}
	select {
	case l.out <- r:
		return nil
	default:
		_ = l.tun.Close() // far too slow: start anew, nothing acknowledged is lost
		return ErrNotLinked
	}
}
