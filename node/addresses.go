// What a node does otherwise when it goes by addresses: its own roads to the DHT, and knocking at
// the moments at which the contact knocks as well.

package node

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/meet/atlas"
	"nightjar/node/meet/relay"
	"nightjar/node/road"
	"nightjar/onion/frame"
)

// lately is how long there are many moments to knock at after something was heard of a contact.
const lately = time.Hour

// seldom is how far apart two records must be found that name other places to count as news both:
// who names a new victim over and over does not have us knock often all the time.
const seldom = 4 * lately

// Moved says that the network this machine is on has become another: our address is looked at anew,
// and contacts that are connected are told at once.
func (n *Node) Moved() {
	if n.packets != nil {
		n.road.Renew()
	}
}

// stroller opens roads to the DHT by addresses: each is a socket of its own, so that no two
// operations are seen to be of one identity by more than the address of the way out.
type stroller struct{ node *Node }

// Trip begins an operation: there is nothing that two could share.
func (s *stroller) Trip() meet.Trip { return s }

// Open returns a fresh socket, and DHT nodes to begin with.
func (s *stroller) Open(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
	c, err := s.node.packets.ListenPacket(ctx)
	if err != nil {
		return nil, nil, err
	}
	return stroll{c, s.node.allowed}, s.node.seeds(nil), nil
}

// Relay returns relay.ErrRelay: relays are onion services.
func (s *stroller) Relay(context.Context) (*relay.Link, error) { return nil, relay.ErrRelay }

// stroll is a socket to the DHT that leads through no gateway.
type stroll struct {
	net.PacketConn
	allowed func(netip.AddrPort) bool
}

// Allows says where the socket may send: there is no gateway that decides it.
func (s stroll) Allows(a netip.AddrPort) bool { return s.allowed(a) }

// allowed reports whether somebody may be sent anything when we go by addresses: it is where a
// gateway may send, since DHT nodes and contacts name whom they like.
func (n *Node) allowed(a netip.AddrPort) bool { return frame.MaySend(a, n.private) }

// Gateway says that there is none who could play nodes for us. Whoever runs the way out could, as
// could whoever runs the network that a machine is on.
func (s stroll) Gateway() string { return atlas.Direct }

// Lost is closed when the socket is of no more use, if it knows.
func (s stroll) Lost() <-chan struct{} {
	if l, ok := s.PacketConn.(interface{ Lost() <-chan struct{} }); ok {
		return l.Lost()
	}
	return nil
}

// Carries says of what kinds the addresses are that the socket reaches.
func (s stroll) Carries() (ip4, ip6 bool) {
	if c, ok := s.PacketConn.(interface{ Carries() (ip4, ip6 bool) }); ok {
		return c.Carries()
	}
	return true, false
}

// witnesses are DHT nodes that can tell us our address, the best first: none is asked for anything
// else. Those that one contact alone named are of use only while there are few others.
func (n *Node) witnesses() (out []netip.AddrPort) {
	if n.atlas != nil {
		out = append(n.atlas.Seeds(atlasSeeds), n.atlas.Own(atlasSeeds)...)
	}
	var named, alone []netip.AddrPort
	n.look(func(b *book.Book) { named, alone = append(named, b.Nodes...), b.Alone("") })
	rand.Shuffle(len(named), func(i, j int) { named[i], named[j] = named[j], named[i] })
	return vouched(append(out, named...), alone)
}

// enough reports whether enough of the nodes were not named by one contact alone.
func enough(nodes, alone []netip.AddrPort) bool {
	return len(slices.DeleteFunc(slices.Clone(nodes), func(a netip.AddrPort) bool {
		return slices.Contains(alone, a)
	})) >= fewSeeds
}

// vouched puts those of the nodes that one contact alone named behind the others, or leaves them
// out when there are enough others: who asks a contact's own node tells the contact that it is
// there, and where.
func vouched(nodes, alone []netip.AddrPort) []netip.AddrPort {
	var others, last []netip.AddrPort
	for _, a := range nodes {
		switch {
		case slices.Contains(others, a) || slices.Contains(last, a):
		case slices.Contains(alone, a):
			last = append(last, a)
		default:
			others = append(others, a)
		}
	}
	if len(others) < fewSeeds {
		return append(others, last...)
	}
	return others
}

// through says how we come to the DHT, in words.
func (n *Node) through() string {
	if n.packets != nil {
		return "from a socket of its own"
	}
	return "through a gateway"
}

// dialling says how we come to a contact, in words.
func (n *Node) dialling() string {
	if n.packets != nil {
		return "knocking at the contact's address"
	}
	return "building a circuit to the contact's onion service"
}

// place tells records apart, but not by when they expire.
func place(r card.Reach) string {
	r.Expires = time.Unix(0, 0)
	b, _ := r.MarshalBinary() // of a bad record none
	return string(b)
}

// finding is where a contact was when we last looked, and when there was last any news of it.
type finding struct {
	reach card.Reach
	news  time.Time
	moved time.Time // when another place was news last
}

// note remembers where a contact is, to knock there.
func (n *Node) note(a card.Address, r card.Reach) {
	if n.packets == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	f, ok := n.found[a]
	if !ok || place(f.reach) != place(r) && now.Sub(f.moved) >= seldom {
		f.news, f.moved = now, now
	}
	f.reach = r
	n.found[a] = f
}

// renote remembers that a contact was there a moment ago. Called with mu held.
func (n *Node) renote(a card.Address) {
	if f, ok := n.found[a]; ok {
		f.news = time.Now()
		n.found[a] = f
	}
}

// moment returns a channel on which the next moment comes at which the contact, if it looks for us,
// knocks as well; nil if we know no address of it.
func (n *Node) moment(a card.Address) <-chan time.Time {
	n.mu.Lock()
	f, ok := n.found[a]
	n.mu.Unlock()
	_, p, err := n.contact(a)
	if !ok || err != nil || len(f.reach.At) == 0 {
		return nil
	}
	now := time.Now()
	return time.After(road.Moment(p.peer.Root, now, now.Sub(f.news) > lately).Sub(now))
}

// knock dials a contact where it was last, without a look into the DHT; it reports whether a link
// stands then.
func (n *Node) knock(ctx context.Context, a card.Address) bool {
	n.mu.Lock()
	r := n.found[a].reach
	n.mu.Unlock()
	_, p, err := n.contact(a)
	if err != nil || r.Expired(time.Now()) || n.linkTo(a) != nil {
		return n.linkTo(a) != nil
	}
	tun, err := n.dialTunnel(ctx, r, p.peer)
	return err == nil && n.begin(ctx, a, tun, r) != nil
}
