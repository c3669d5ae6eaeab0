// Those who come to us: their tunnels, and what each is for.

package node

import (
	"context"
	"net"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/road"
	"nightjar/node/talk"
	"nightjar/tunnel"
)

const (
	firstTime = 30 * time.Second // for a contact that has dialled to say what for
	newcomers = 32               // tunnels at once that have not said it; more wait
	perPeer   = 4                // of them of one contact: a fifth shows out the first
	patience  = 3 * time.Second  // with one that says nothing, when all places are taken
)

// ownRoad makes the road that our way out allows.
func (n *Node) ownRoad() road.Road {
	tell := func(words string) { n.feed.tell(Event{Kind: EventProgress, Text: words}) }
	up := func() { n.feed.tell(Event{Kind: EventReachable}) }
	if n.packets != nil {
		return road.NewAddresses(road.Addresses{Packets: n.packets, Key: n.id, Peers: n.peers,
			Nodes: n.witnesses, Allowed: n.allowed, Tell: tell, Up: up})
	}
	return road.NewServices(road.Services{Path: n.path, Key: n.id, Peers: n.peers,
		Seats: book.MaxContacts, Generation: n.generation, Tell: tell, Up: up})
}

// generation is that of our onion service: it changes when a contact is removed.
func (n *Node) generation() (g uint32) {
	n.look(func(b *book.Book) { g = b.Service })
	return g
}

// serve takes in the tunnels that contacts have dialled. None of them can keep the others out.
func (n *Node) serve(ctx context.Context) {
	lobby := &road.Lobby{Places: newcomers, Share: perPeer, Patience: patience}
	for {
		tun, err := n.road.Accept(ctx)
		if err != nil {
			return
		}
		first, cancel := context.WithTimeout(ctx, firstTime)
		leave := lobby.Enter(ctx, tun.Peer(), cancel)
		if leave == nil || !n.crew.spawn(func(ctx context.Context) {
			n.admit(ctx, first, tun, func() { leave(); cancel() })
		}) {
			cancel()
			_ = tun.Close()
			return
		}
	}
}

// opening hears what a tunnel is for, until first ends.
func opening(first context.Context, tun tunnel.Tunnel) (net.Conn, talk.Record, error) {
	stay := context.AfterFunc(first, func() { _ = tun.Close() })
	stream, err := tun.AcceptStream(first)
	if err != nil {
		return nil, talk.Record{}, err
	}
	r, err := talk.ReadRecord(stream)
	if !stay() && err == nil {
		err = context.Cause(first)
	}
	return stream, r, err
}

// admit hears what a tunnel is for, and then leaves the others room.
func (n *Node) admit(ctx, first context.Context, tun tunnel.Tunnel, leave func()) {
	stream, r, err := opening(first, tun)
	leave()
	c, known := n.byStatic(tun.Peer())
	switch {
	case err != nil || !known:
		_ = tun.Close()
	case r.Kind == talk.KindMain:
		l := newLink(tun, stream)
		if !n.install(c.Address, l) {
			_ = tun.Close()
			return
		}
		n.converse(ctx, c.Address, l)
	case r.Kind == talk.KindLane:
		n.carry(ctx, c.Address, talk.ID(r.ID), tun)
		_ = tun.Close()
	default:
		_ = tun.Close()
	}
}

// reachOf returns the reach record for one contact.
func (n *Node) reachOf(c book.Contact) (card.Reach, error) { return n.road.Reach(c.Seat) }
