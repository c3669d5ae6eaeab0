// Those who come to us: their tunnels, and what each is for.

package node

import (
	"context"
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
)

// ownRoad makes the road that our way out allows.
func (n *Node) ownRoad() road.Road {
	tell := func(words string) { n.feed.tell(Event{Kind: EventProgress, Text: words}) }
	up := func() { n.feed.tell(Event{Kind: EventReachable}) }
	if n.packets != nil {
		return road.NewAddresses(road.Addresses{Packets: n.packets, Key: n.id, Peers: n.peers,
			Nodes: n.witnesses, Tell: tell, Up: up})
	}
	return road.NewServices(road.Services{Path: n.path, Key: n.id, Peers: n.peers,
		Seats: book.MaxContacts, Generation: n.generation, Tell: tell, Up: up})
}

// generation is that of our onion service: it changes when a contact is removed.
func (n *Node) generation() (g uint32) {
	n.look(func(b *book.Book) { g = b.Service })
	return g
}

// serve takes in the tunnels that contacts have dialled.
func (n *Node) serve(ctx context.Context) {
	seats := make(chan struct{}, newcomers)
	for {
		tun, err := n.road.Accept(ctx)
		if err != nil {
			return
		}
		seats <- struct{}{}
		if !n.crew.spawn(func(ctx context.Context) {
			n.admit(ctx, tun, func() { <-seats })
		}) {
			_ = tun.Close()
			return
		}
	}
}

// admit hears what a tunnel is for.
func (n *Node) admit(ctx context.Context, tun tunnel.Tunnel, leave func()) {
	first, cancel := context.WithTimeout(ctx, firstTime)
	stream, err := tun.AcceptStream(first)
	r := talk.Record{}
	if err == nil {
		_ = stream.SetReadDeadline(time.Now().Add(firstTime))
		r, err = talk.ReadRecord(stream)
		_ = stream.SetReadDeadline(time.Time{})
	}
	cancel()
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
