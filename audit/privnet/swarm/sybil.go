// Hostile nodes: they stand around one target, take every item and give none back.

package swarm

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"sync"

	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
)

// Sybils are hostile nodes with ids nearer to a target than any honest node's.
type Sybils struct {
	Count  int // at most 100
	Target [20]byte
	Spread bool // each in a /16 of its own, if there are fewer than 100 others; else all in one
}

func (s Sybils) ids() (out []krpc.ID) {
	for i := range s.Count {
		id := krpc.ID(s.Target)
		low := binary.BigEndian.Uint32(id[16:])
		binary.BigEndian.PutUint32(id[16:], low^uint32(i+1))
		out = append(out, id)
	}
	return out
}

func (s Sybils) addresses() (out []netip.Addr) {
	for i := range s.Count {
		a := [4]byte{127, 250, byte(i + 1), 1}
		if s.Spread {
			a = [4]byte{127, byte(i + 100), 250, 1}
		}
		out = append(out, netip.AddrFrom4(a))
	}
	return out
}

// liars are nodes at places of their own that name only each other to strangers: whoever asks one
// is led round among them.
type liars struct {
	mu  sync.Mutex
	all krpc.CompactIPv4NodeInfo
}

func (l *liars) add(id krpc.ID, a netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, krpc.NodeInfo{ID: id,
		Addr: krpc.NodeAddr{IP: a.Addr().AsSlice(), Port: int(a.Port())}})
}

// rewrite names some liars in an answer that names nodes.
func (l *liars) rewrite(packet []byte) []byte {
	var m krpc.Msg
	if bencode.Unmarshal(packet, &m) != nil || m.R == nil || len(m.R.Nodes) == 0 {
		return packet
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	m.R.Nodes = nil
	for _, i := range rand.Perm(len(l.all))[:min(8, len(l.all))] {
		m.R.Nodes = append(m.R.Nodes, l.all[i])
	}
	out, err := bencode.Marshal(m)
	if err != nil {
		return packet
	}
	return out
}

// forgetful is a store that says it stored.
type forgetful struct{}

func (forgetful) Put(*bep44.Item) error { return nil }

func (forgetful) Get(bep44.Target) (*bep44.Item, error) { return nil, bep44.ErrItemNotFound }

func (forgetful) Del(bep44.Target) error { return nil }
