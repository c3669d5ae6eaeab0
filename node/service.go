// Our onion service, and who comes through it.

package node

import (
	"context"
	"net"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/talk"
	"nightjar/onion"
)

const (
	servicePort  = 1                // the virtual port of our onion service; nobody outside sees it
	knockTime    = 90 * time.Second // longer than a tunnel's door keeps a stranger waiting
	knockers     = 32               // unfinished handshakes at once; more wait in tor
	reachFor     = 24 * time.Hour   // how long a reach record is believed
	serviceRetry = 15 * time.Second
)

// serve keeps our onion service published, and takes in who comes through it. A new generation
// (after a contact was removed) replaces the old service.
func (n *Node) serve(ctx context.Context) {
	for ctx.Err() == nil {
		l, err := n.publishService(ctx)
		if err != nil {
			n.feed.tell(Event{Kind: EventProgress,
				Text: "our onion service could not start; again soon"})
			pause(ctx, serviceRetry, n.servicePoke)
			continue
		}
		n.crew.spawn(func(ctx context.Context) { n.announce(ctx, l) })
		n.acceptAll(ctx, l)
	}
}

// announce tells the house when the service can be found.
func (n *Node) announce(ctx context.Context, l onion.Listener) {
	select {
	case <-l.Published():
		n.feed.tell(Event{Kind: EventReachable})
	case <-ctx.Done():
	}
}

// publishService starts the onion service of the present generation with a key for every seat, so
// that the number of contacts shows nowhere.
func (n *Node) publishService(ctx context.Context) (onion.Listener, error) {
	var generation uint32
	n.look(func(b *book.Book) { generation = b.Service })
	seed, err := n.id.Derive("nightjar service", []byte{byte(generation >> 24),
		byte(generation >> 16), byte(generation >> 8), byte(generation)})
	if err != nil {
		return nil, err
	}
	defer clear(seed[:])
	s := onion.Service{Seed: seed, Port: servicePort}
	for seat := range uint16(book.MaxContacts) {
		key, err := n.seatKey(generation, seat)
		if err != nil {
			return nil, err
		}
		s.Clients = append(s.Clients, [32]byte(key.PublicKey().Bytes()))
	}
	l, err := n.path.Publish(ctx, s)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	if n.service == nil {
		close(n.serviceUp)
	} else if n.service.ID() != l.ID() {
		close(n.move)
		n.move = make(chan struct{})
	}
	n.service = l
	n.mu.Unlock()
	return l, nil
}

// acceptAll takes in tunnels until the service is replaced, fails, or ctx ends.
func (n *Node) acceptAll(ctx context.Context, l onion.Listener) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !n.crew.spawn(func(context.Context) {
		select {
		case <-n.servicePoke:
		case <-ctx.Done():
		}
		_ = l.Close()
	}) {
		_ = l.Close()
		return
	}
	seats := make(chan struct{}, knockers)
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		seats <- struct{}{}
		if !n.crew.spawn(func(ctx context.Context) {
			n.admit(ctx, conn, func() { <-seats })
		}) {
			_ = conn.Close()
			return
		}
	}
}

// admit finishes the handshake with whoever knocked. Strangers hear nothing.
func (n *Node) admit(ctx context.Context, conn net.Conn, leave func()) {
	handshake, cancel := context.WithTimeout(ctx, knockTime)
	tun, err := n.door.Accept(handshake, conn, n.id, n.peers)
	if err != nil {
		cancel()
		leave()
		return
	}
	stream, err := tun.AcceptStream(handshake)
	first := talk.Record{}
	if err == nil {
		_ = stream.SetReadDeadline(time.Now().Add(knockTime))
		first, err = talk.ReadRecord(stream)
		_ = stream.SetReadDeadline(time.Time{})
	}
	cancel()
	leave()
	c, known := n.byStatic(tun.Peer())
	switch {
	case err != nil || !known:
		_ = tun.Close()
	case first.Kind == talk.KindMain:
		l := newLink(tun, stream)
		if !n.install(c.Address, l) {
			_ = tun.Close()
			return
		}
		n.converse(ctx, c.Address, l)
	case first.Kind == talk.KindLane:
		n.carry(ctx, c.Address, talk.ID(first.ID), tun)
		_ = tun.Close()
	default:
		_ = tun.Close()
	}
}

// reachOf returns the reach record that only this contact can use.
func (n *Node) reachOf(c book.Contact) (card.Reach, error) {
	n.mu.Lock()
	service, generation := n.service, n.book.Service
	n.mu.Unlock()
	if service == nil {
		return card.Reach{}, ErrNotRunning
	}
	key, err := n.seatKey(generation, c.Seat)
	if err != nil {
		return card.Reach{}, err
	}
	return card.Reach{
		Service: service.ID(), Port: servicePort, Auth: [32]byte(key.Bytes()),
		Expires: time.Now().Add(reachFor),
	}, nil
}
