// The tunnel to a contact: found, dialled, kept, replaced.

package node

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/talk"
	"nightjar/onion"
	"nightjar/tunnel"
)

const (
	linkRoom  = 256              // records that wait for a slow tunnel; then the link is given up
	crossing  = 30 * time.Second // two links within this time were begun by both sides at once
	dialTime  = time.Minute      // for one attempt to reach a contact's service
	dialTries = 3                // a fresh descriptor needs a moment to be found everywhere
)

// errNotAccepted says that an invited contact has published nothing for us: it has not accepted,
// or is away. Nobody can tell which.
var errNotAccepted = errors.New("the contact is away or has not accepted yet")

// linkWaits is how long to wait between attempts to find a contact; the last is kept up.
var linkWaits = [...]time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second,
	2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute}

// link is the tunnel to a contact that is there, and the stream messages and call records use.
type link struct {
	tun    *tunnel.Conn
	stream net.Conn
	reach  card.Reach // where we dialled; only the side that dialled knows it
	out    chan talk.Record
	born   time.Time
}

// keepLinked looks for a contact until a tunnel stands, and again when it is lost.
func (n *Node) keepLinked(ctx context.Context, a card.Address, wake <-chan struct{}) {
	step := 0
	for ctx.Err() == nil {
		if l := n.linkTo(a); l != nil {
			step = 0
			select {
			case <-l.tun.Done():
			case <-ctx.Done():
				return
			}
			if !pause(ctx, time.Second+rand.N(2*time.Second), nil) {
				return
			}
			continue
		}
		if n.tryLink(ctx, a) == nil {
			continue
		}
		wait := linkWaits[min(step, len(linkWaits)-1)]
		step++
		if n.woken(ctx, a, wait*3/4+rand.N(wait/2), wake) {
			step = 0
		}
	}
}

// woken waits like pause, and also for a tunnel that the contact brings about; it reports whether
// somebody asked for haste.
func (n *Node) woken(ctx context.Context, a card.Address, d time.Duration,
	wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-wake:
		return n.linkTo(a) == nil
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

// wake makes the keeper of a contact look at once.
func (n *Node) wake(a card.Address) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ch := n.pokes[a]; ch != nil {
		poke(ch)
	}
}

func (n *Node) linkTo(a card.Address) *link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.links[a]
}

// tryLink makes one attempt to find and reach a contact.
func (n *Node) tryLink(ctx context.Context, a card.Address) error {
	c, p, err := n.contact(a)
	if err != nil {
		return err
	}
	n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
		Text: "looking up where the contact can be reached, through a gateway"})
	reach, err := n.findReach(ctx, c, p)
	if err != nil {
		n.feed.tell(Event{Kind: EventProgress, Contact: c.Name, Text: "not found: " + why(err)})
		return err
	}
	if n.linkTo(a) != nil {
		return nil // the contact was faster
	}
	n.feed.tell(Event{Kind: EventProgress, Contact: c.Name,
		Text: "found; building a circuit to the contact's onion service"})
	tun, err := n.dialTunnel(ctx, reach, p.peer)
	if err != nil {
		n.feed.tell(Event{Kind: EventProgress, Contact: c.Name, Text: "not reached: " + why(err)})
		return err
	}
	stream, err := tun.OpenStream(ctx)
	if err == nil {
		err = talk.WriteRecord(stream, talk.Record{Kind: talk.KindMain})
	}
	if err != nil {
		_ = tun.Close()
		return err
	}
	l := &link{tun: tun, stream: stream, reach: reach}
	if !n.install(a, l) {
		_ = tun.Close()
		return ErrNotLinked
	}
	n.crew.spawn(func(ctx context.Context) { n.converse(ctx, a, l) })
	return nil
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

// dialTunnel reaches a contact's service on a circuit of its own and shakes hands.
func (n *Node) dialTunnel(ctx context.Context, r card.Reach, p tunnel.Peer) (*tunnel.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	to := onion.Remote{ID: r.Service, Port: r.Port, Auth: r.Auth, HasAuth: true}
	var last error
	for try := range dialTries {
		if !pause(ctx, time.Duration(try)*time.Second, nil) {
			break
		}
		conn, err := n.path.Dial(ctx, to, onion.NewIsolation())
		if err != nil {
			last = err
			continue
		}
		tun, err := tunnel.Dial(ctx, conn, n.id, p)
		if err == nil {
			return tun, nil
		}
		last = err
	}
	if last == nil {
		last = ctx.Err()
	}
	return nil, last
}

// converse works on an installed link until it ends.
func (n *Node) converse(ctx context.Context, a card.Address, l *link) {
	defer n.uninstall(a, l)
	defer l.tun.Close()
	c, _, err := n.contact(a)
	if err == nil && c.Standing == book.Invited {
		err = n.change(func(b *book.Book) error { return b.Confirm(a) })
	}
	if err != nil {
		return
	}
	n.feed.tell(Event{Kind: EventConnected, Contact: c.Name})
	n.crew.spawn(func(ctx context.Context) { n.write(ctx, l) })
	n.flush(a)
	for {
		r, err := talk.ReadRecord(l.stream)
		if err != nil || n.hear(ctx, a, l, r) != nil {
			return
		}
	}
}

// install puts l in the place of the link we have. When both sides dialled at once both keep the
// tunnel that the lower address began; otherwise the newer one is the one that works.
func (n *Node) install(a card.Address, l *link) bool {
	l.out, l.born = make(chan talk.Record, linkRoom), time.Now()
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
	if ch := n.pokes[a]; ch != nil {
		poke(ch)
	}
	return true
}

// uninstall forgets l, unless another link has taken its place, and ends what needed it.
func (n *Node) uninstall(a card.Address, l *link) {
	n.mu.Lock()
	mine := n.links[a] == l
	if mine {
		delete(n.links, a)
	}
	c, err := n.book.ByAddress(a)
	name := ""
	if err == nil {
		name = c.Name
	}
	n.mu.Unlock()
	if mine {
		n.dropCalls(name)
		n.feed.tell(Event{Kind: EventLost, Contact: name})
	}
}

// unlink ends the link to a contact that was removed.
func (n *Node) unlink(a card.Address) {
	n.mu.Lock()
	l := n.links[a]
	delete(n.pairs, a)
	delete(n.pokes, a)
	n.mu.Unlock()
	if l != nil {
		_ = l.tun.Close()
	}
}

// write sends what is queued on a link.
func (n *Node) write(ctx context.Context, l *link) {
	for {
		select {
		case r := <-l.out:
			if talk.WriteRecord(l.stream, r) != nil {
				_ = l.tun.Close()
				return
			}
		case <-l.tun.Done():
			return
		case <-ctx.Done():
			_ = l.tun.Close()
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
	select {
	case l.out <- r:
		return nil
	default:
		_ = l.tun.Close() // far too slow: start anew, nothing acknowledged is lost
		return ErrNotLinked
	}
}
