// The side that is knocked at: whose piece this is, and whether it may knock.

package knock

import (
	"slices"
	"time"

	"nightjar/tunnel/handshake"
	"nightjar/tunnel/mark"
)

const (
	// trials is how many marks are looked at in a second, which bounds what strangers cost: to a
	// hundredth or two of a processor.
	trials = 1_000_000
	// fresh is how long a list of contacts is used for pieces before it is asked for anew: to make
	// one costs far more than to look at its marks, and strangers cause neither more often.
	fresh = 250 * time.Millisecond

	knocks     = 8               // first messages of one contact in a row
	knockEvery = 2 * time.Second // then one each

	partials  = 4                // messages of one contact of which a piece is missing
	patience  = 10 * time.Second // with each
	neighbour = 1                // epochs before and after the current one are tried
	epochs    = 2*neighbour + 1
)

// A Door finds out who knocks. Its zero value is ready; it is not safe for concurrent use. What it
// keeps grows with the number of contacts only, never with that of strangers.
type Door struct {
	peers []handshake.Peer
	epoch uint64
	self  [32]byte
	marks mark.Row // epochs of each peer

	listed time.Time // when peers was asked for

	left    int // trials in this second
	second  int64
	callers map[[32]byte]*caller
}

// A Knock is a whole first message and who sent it.
type Knock struct {
	Peer    handshake.Peer
	Way     Way
	Message []byte
}

// caller is what is kept of a contact that knocks.
type caller struct {
	budget  int
	counted time.Time
	halves  []half
}

type half struct {
	piece Piece
	since time.Time
}

// Take takes a datagram that belongs to no session, and returns the first message that it
// completes. self is the key of this side. peers lists who may call; it is asked four times a
// second at most, so a message may be of somebody who is no contact any more: look again before
// answering.
func (d *Door) Take(wire []byte, self [32]byte, peers func() []handshake.Peer, now time.Time) (
	k Knock, whole bool) {
	if len(wire) != PieceSize || !d.afford(now) {
		return k, false
	}
	if age := now.Sub(d.listed); d.listed.IsZero() || age < 0 || age >= fresh {
		d.listed = now
		all := peers()
		d.learn(self, all[:min(len(all), handshake.MaxPeers)], handshake.Epoch(now))
	}
	at := d.marks.Find(wire)
	if at < 0 {
		return k, false
	}
	p := d.peers[at/epochs]
	k.Peer, k.Way = p, Way{p.Root, d.epoch + uint64(at%epochs) - neighbour, p.Static, self}
	piece, ok := k.Way.First().Open(wire)
	if !ok {
		return k, false
	}
	k.Message, whole = d.caller(p.Static).join(piece, now)
	return k, whole
}

// Refund is told that a message was one that had come before: it counts for nobody's budget, or who
// repeats what it has seen on the network could keep a contact from being heard.
func (d *Door) Refund(k Knock) {
	if c := d.callers[k.Peer.Static]; c != nil {
		c.budget = min(c.budget+1, knocks)
	}
}

// learn keeps the marks of all peers for the epochs that are taken.
func (d *Door) learn(self [32]byte, peers []handshake.Peer, epoch uint64) {
	if epoch == d.epoch && self == d.self && slices.Equal(peers, d.peers) {
		return
	}
	d.epoch, d.self, d.peers = epoch, self, slices.Clone(peers)
	d.marks = make(mark.Row, 0, epochs*len(peers))
	known := make(map[[32]byte]*caller, len(peers))
	for _, p := range peers {
		for e := epoch - neighbour; e != epoch+neighbour+1; e++ {
			d.marks = append(d.marks, Way{p.Root, e, p.Static, self}.Mark())
		}
		if c := d.callers[p.Static]; c != nil {
			known[p.Static] = c
		}
	}
	d.callers = known
}

// afford counts the trials of this second.
func (d *Door) afford(now time.Time) bool {
	if now.Unix() != d.second {
		d.second, d.left = now.Unix(), max(trials, len(d.marks))
	}
	if d.left < len(d.marks) {
		return false
	}
	d.left -= len(d.marks)
	return true
}

func (d *Door) caller(static [32]byte) *caller {
	c := d.callers[static]
	if c == nil {
		c = &caller{budget: knocks}
		d.callers[static] = c
	}
	return c
}

// join keeps a piece until its other half comes.
func (c *caller) join(p Piece, now time.Time) (message []byte, whole bool) {
	c.halves = slices.DeleteFunc(c.halves, func(h half) bool {
		return now.Sub(h.since) > patience
	})
	at := slices.IndexFunc(c.halves, func(h half) bool { return h.piece.Message == p.Message })
	switch {
	case at < 0:
		if len(c.halves) == partials {
			c.halves = slices.Delete(c.halves, 0, 1)
		}
		c.halves = append(c.halves, half{p, now})
		return nil, false
	case c.halves[at].piece.Index == p.Index:
		return nil, false
	}
	message = Join(c.halves[at].piece, p)
	c.halves = slices.Delete(c.halves, at, at+1)
	return message, c.allowed(now)
}

// allowed counts the first messages of a contact.
func (c *caller) allowed(now time.Time) bool {
	if more := int(now.Sub(c.counted) / knockEvery); c.counted.IsZero() || c.budget+more >= knocks {
		c.budget, c.counted = knocks, now
	} else {
		c.budget += more
		c.counted = c.counted.Add(time.Duration(more) * knockEvery)
	}
	if c.budget == 0 {
		return false
	}
	c.budget--
	return true
}

// Join makes one message of its two pieces.
func Join(a, b Piece) []byte {
	if a.Index > b.Index {
		a, b = b, a
	}
	return slices.Concat(a.Body, b.Body)
}
