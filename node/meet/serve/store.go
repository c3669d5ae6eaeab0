// What we keep for others (BEP44). Pure.

package serve

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha1"
	"net/netip"
	"strconv"
	"time"
)

// item is a stored value.
type item struct {
	mutable bool
	key     [32]byte // of a mutable one
	salt    []byte
	seq     int64
	sig     [64]byte
	value   []byte // bencoded

	until time.Time
	from  netip.Prefix
}

// target is where an item belongs.
func (i *item) target() [20]byte {
	if !i.mutable {
		return sha1.Sum(i.value)
	}
	return sha1.Sum(append(bytes.Clone(i.key[:]), i.salt...))
}

// genuine reports whether a mutable item is signed by its key.
func (i *item) genuine() bool {
	var b []byte
	if len(i.salt) > 0 {
		b = strconv.AppendInt([]byte("4:salt"), int64(len(i.salt)), 10)
		b = append(append(b, ':'), i.salt...)
	}
	b = append(strconv.AppendInt(append(b, "3:seqi"...), i.seq, 10), "e1:v"...)
	return ed25519.Verify(i.key[:], append(b, i.value...), i.sig[:])
}

// A refusal is an error that the one who asked is told; 0 is none.
type refusal int

// The refusals of BEP44, and BEP5's for a node that is full.
const (
	refuseFull refusal = 202
	refuseSig  refusal = 206
	refuseCas  refusal = 301
	refuseSeq  refusal = 302
)

func (r refusal) String() string {
	switch r {
	case refuseSig:
		return "invalid signature"
	case refuseCas:
		return "cas mismatch"
	case refuseSeq:
		return "sequence number less than current"
	}
	return "no room"
}

// store is bounded: when it is full what is farthest from us makes room.
type store struct {
	items map[[20]byte]*item
	of    map[netip.Prefix]int
}

func newStore() *store {
	return &store{items: make(map[[20]byte]*item), of: make(map[netip.Prefix]int)}
}

// get returns the item of a target, or nil.
func (s *store) get(target [20]byte, now time.Time) *item {
	if i := s.items[target]; i != nil && now.Before(i.until) {
		return i
	}
	return nil
}

// put takes an item from a network, or says why not. cas is nil or the seq that must be there.
func (s *store) put(i *item, cas *int64, self [20]byte, now time.Time) refusal {
	t := i.target()
	old := s.get(t, now)
	if i.mutable {
		switch {
		case !i.genuine():
			return refuseSig
		case old != nil && cas != nil && *cas != old.seq:
			return refuseCas
		case old != nil && (i.seq < old.seq || i.seq == old.seq && !bytes.Equal(i.value,
			old.value)):
			return refuseSeq
		}
	}
	if s.of[i.from] >= maxOfOne && (old == nil || old.from != i.from) {
		return refuseFull
	}
	s.drop(t)
	if len(s.items) >= maxItems && !s.makeRoom(t, self, now) {
		return refuseFull
	}
	i.until = now.Add(itemTime)
	s.items[t] = i
	s.of[i.from]++
	return 0
}

func (s *store) drop(t [20]byte) {
	i := s.items[t]
	if i == nil {
		return
	}
	delete(s.items, t)
	if s.of[i.from]--; s.of[i.from] == 0 {
		delete(s.of, i.from)
	}
}

// makeRoom drops what has expired, or else what is farthest from self, if that is farther than t.
func (s *store) makeRoom(t, self [20]byte, now time.Time) bool {
	s.sweep(now)
	if len(s.items) < maxItems {
		return true
	}
	far := t
	for other := range s.items {
		if nearer(far, other, self) {
			far = other
		}
	}
	if far == t {
		return false
	}
	s.drop(far)
	return true
}

// sweep drops what has expired.
func (s *store) sweep(now time.Time) {
	for t, i := range s.items {
		if !now.Before(i.until) {
			s.drop(t)
		}
	}
}
