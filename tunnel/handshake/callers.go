// Who may call: the marks of all contacts, made once in an epoch, so that a stranger costs little
// however many contacts there are.

package handshake

import (
	"slices"

	"nightjar/tunnel/mark"
)

// taken is how many epochs a first message may be of: the last, the current and the next.
const taken = 3

// callers are the marks that contacts may call with. Its zero value knows nobody.
type callers struct {
	self  [32]byte
	epoch uint64
	known []caller
	marks mark.Row // taken for each
}

// A caller is what marks depend on.
type caller struct{ static, root [32]byte }

// learn makes the marks of peers for the epochs that are taken, unless they are those it has.
func (c *callers) learn(self [32]byte, peers []Peer, epoch uint64) {
	same := func(k caller, p Peer) bool { return k.static == p.Static && k.root == p.Root }
	if c.self == self && c.epoch == epoch && slices.EqualFunc(c.known, peers, same) {
		return
	}
	c.self, c.epoch = self, epoch
	c.known = make([]caller, 0, len(peers))
	c.marks = make(mark.Row, 0, taken*len(peers))
	for _, p := range peers {
		c.known = append(c.known, caller{p.Static, p.Root})
		root := deriver(p.Root)
		for e := range uint64(taken) {
			l := link{epoch - 1 + e, p.Static, self}
			c.marks = append(c.marks, l.mark(&root))
		}
	}
}

// A found is a first message with all that finding its sender gave.
type found struct {
	link
	peer    Peer
	root    deriver
	key     [32]byte // outer key that it opened with
	message []byte   // Noise message 1
}

// find finds who of peers has sealed the message, in three epochs; nil when none has. Only what
// bears a contact's mark is opened at all.
func (m *Memory) find(self [32]byte, peers []Peer, epoch uint64, wire []byte) *found {
	peers = peers[:min(len(peers), MaxPeers)]
	at := m.marked(self, peers, epoch, wire)
	if at < 0 {
		return nil
	}
	p := peers[at/taken]
	f := &found{link: link{epoch - 1 + uint64(at%taken), p.Static, self}, peer: p,
		root: deriver(p.Root)}
	f.key = f.first(&f.root)
	var ok bool
	if f.message, ok = openOuter(f.key, wire, RenewSize); !ok {
		return nil
	}
	return f
}

// marked is which of the marks the message bears, or -1.
func (m *Memory) marked(self [32]byte, peers []Peer, epoch uint64, wire []byte) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.callers.learn(self, peers, epoch)
	return m.callers.marks.Find(wire)
}
