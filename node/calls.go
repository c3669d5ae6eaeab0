// Calls with contacts: offers, answers, and the lane for the audio.

package node

import (
	"context"
	"time"

	"nightjar/node/book"
	"nightjar/node/call"
	"nightjar/node/card"
	"nightjar/node/talk"
	"nightjar/tunnel"
)

const (
	callTime  = 90 * time.Second // an offer that nobody answers ends then
	laneTime  = 30 * time.Second // for the audio lane to stand after the answer
	laneTries = 5                // lanes dialled for one call before it is given up
	callPause = 3 * time.Second  // between two calls of the same contact
)

// callWith is a call and whom it is with. Names may pass to another contact, addresses do not.
type callWith struct {
	*call.Session
	with card.Address
}

// Dial begins a call with a contact that is connected.
func (n *Node) Dial(_ context.Context, contact string, offer []talk.Codec) (talk.Call, error) {
	var a card.Address
	var err error
	n.look(func(b *book.Book) {
		var c *book.Contact
		if c, err = b.Contact(contact); err == nil {
			a = c.Address
		}
	})
	if err != nil {
		return nil, err
	}
	l := n.linkTo(a)
	if l == nil {
		n.wake(a)
		return nil, ErrNotLinked
	}
	s, err := n.newCall(a, newID(), contact, true, offer)
	if err != nil {
		return nil, err
	}
	id := s.ID()
	if err := l.say(talk.Record{Kind: talk.KindOffer, ID: id[:], Codecs: offer}); err != nil {
		s.Lost()
		n.forgetCall(s)
		return nil, err
	}
	n.beginCall(a, s, l)
	return s, nil
}

// newCall makes a session and remembers it, one at a time with each contact.
func (n *Node) newCall(a card.Address, id talk.ID, contact string, caller bool,
	offer []talk.Codec) (*callWith, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.calls {
		if s.ID() == id || s.with == a && !s.Over() {
			return nil, ErrBusy
		}
	}
	s := &callWith{with: a, Session: call.New(id, contact, caller, offer,
		func(r talk.Record) error { return n.say(a, r) })}
	n.calls[id] = s
	return s, nil
}

func (n *Node) forgetCall(s *callWith) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.calls, s.ID())
}

// tooSoon reports whether a contact calls again sooner than a person would: each call makes the
// phone ring and may cost a circuit.
func (n *Node) tooSoon(a card.Address) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last, ok := n.rang[a]; ok && time.Since(last) < callPause {
		return true
	}
	n.rang[a] = time.Now()
	return false
}

// offered takes in a call from a contact: the phone rings, if there is one.
func (n *Node) offered(a card.Address, name string, l *link, r talk.Record) {
	refuse := func(why talk.Reason) {
		_ = l.say(talk.Record{Kind: talk.KindEnd, ID: r.ID, Reason: why})
	}
	offer := talk.Common(r.Codecs, talk.Codecs())
	if n.phone == nil || len(offer) == 0 {
		refuse(talk.Unavailable)
		return
	}
	s, err := n.newCall(a, talk.ID(r.ID), name, false, offer)
	if err == nil && n.tooSoon(a) {
		n.forgetCall(s)
		err = ErrBusy
	}
	if err != nil {
		refuse(talk.Busy)
		return
	}
	n.beginCall(a, s, l)
	n.crew.spawn(func(ctx context.Context) { n.phone.Incoming(ctx, s) })
}

// beginCall watches over a call, and brings up its lane if it was us who dialled the tunnel. Nobody
// dials for a call that is over.
func (n *Node) beginCall(a card.Address, s *callWith, l *link) {
	n.feed.tell(Event{Kind: EventCall, Contact: s.Contact(), Text: "begins"})
	n.crew.spawn(func(ctx context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if l.tun.Initiator() {
			n.crew.spawn(func(context.Context) { n.dialLane(ctx, a, s, l) })
		}
		n.watchCall(ctx, s)
	})
}

// watchCall ends a call that nobody answers or that gets no lane, and forgets it when it is over.
func (n *Node) watchCall(ctx context.Context, s *callWith) {
	defer func() {
		n.forgetCall(s)
		n.feed.tell(Event{Kind: EventCall, Contact: s.Contact(), Text: "is over"})
	}()
	limits := []struct {
		done <-chan struct{}
		time time.Duration
		why  talk.Reason
	}{{s.Answered(), callTime, talk.Timeout}, {s.Carried(), laneTime, talk.Failed}}
	for _, limit := range limits {
		t := time.NewTimer(limit.time)
		select {
		case <-limit.done:
		case <-t.C:
			_ = s.End(limit.why)
		case <-s.Done():
		case <-ctx.Done():
			_ = s.End(talk.Failed)
		}
		t.Stop()
	}
	select {
	case <-s.Done():
	case <-ctx.Done():
		_ = s.End(talk.Failed)
	}
}

// dialLane opens a second tunnel for the audio of a call, on a circuit of its own or beside the
// first, and again when it is lost.
func (n *Node) dialLane(ctx context.Context, a card.Address, s *callWith, l *link) {
	_, p, err := n.contact(a)
	for range laneTries {
		if err != nil {
			break
		}
		var tun tunnel.Tunnel
		if tun, err = n.dialBeside(ctx, l, p.peer); err != nil {
			break
		}
		err = n.runLane(ctx, s, tun)
		_ = tun.Close()
		if err == nil {
			return
		}
		err = nil // the lane was lost, not the way there: dial again
		select {
		case <-s.Done():
			return
		default:
		}
	}
	_ = s.End(talk.Failed)
}

func (n *Node) runLane(ctx context.Context, s *callWith, tun tunnel.Tunnel) error {
	stream, err := tun.OpenStream(ctx)
	if err != nil {
		return err
	}
	id := s.ID()
	if err := talk.WriteRecord(stream, talk.Record{Kind: talk.KindLane, ID: id[:]}); err != nil {
		return err
	}
	return s.Carry(ctx, tun)
}

// carry gives a lane the contact opened to its call.
func (n *Node) carry(ctx context.Context, a card.Address, id talk.ID, tun tunnel.Tunnel) {
	if s := n.callOf(a, id); s != nil {
		_ = s.Carry(ctx, tun)
	}
}

// callRecord hands a record to the call it belongs to; a call that is over hears nothing.
func (n *Node) callRecord(a card.Address, r talk.Record) {
	if s := n.callOf(a, talk.ID(r.ID)); s != nil {
		s.Handle(r)
	}
}

// callOf returns a call if it is with that contact.
func (n *Node) callOf(a card.Address, id talk.ID) *callWith {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := n.calls[id]; s != nil && s.with == a {
		return s
	}
	return nil
}

// dropCalls ends the calls with a contact that is no longer connected.
func (n *Node) dropCalls(a card.Address) {
	n.mu.Lock()
	var lost []*callWith
	for _, s := range n.calls {
		if s.with == a {
			lost = append(lost, s)
		}
	}
	n.mu.Unlock()
	for _, s := range lost {
		s.Lost()
	}
}
