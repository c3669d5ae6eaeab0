// The ways to the DHT: a relay that walks for us, or a road on which we walk ourselves.

package meet

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"nightjar/node/card"
	"nightjar/node/meet/relay"
	"nightjar/node/meet/walk"
)

const (
	// quorum copies of the newest record are enough to believe that it is the newest.
	quorum = 3
	// doubtTime is how long what a relay said of a slot is not asked for again: who looks once more
	// so soon was not served by it, and walks.
	doubtTime = 25 * time.Minute
	// relayTime is how long a relay may take, at least, after our own walk has ended.
	relayTime = 3 * time.Second
	maxDoubts = 1024
)

// Carrier is the way to the DHT.
type Carrier interface {
	// Trip returns the ways for one operation of one identity, or up to four which whoever watches
	// may link.
	Trip() Trip
}

// Trip gives ways, each over a fresh circuit. Each call leads through a gateway chosen at random of
// those that no earlier call of the trip used; when there is no other, through one of those.
type Trip interface {
	// Open returns a road, and DHT nodes to begin with. The conn carries packets as they are; its
	// ReadFrom fails only for good. It may have a method Lost() <-chan struct{} that says so
	// sooner, and Gateway() string that tells its gateway from others: without it nothing that
	// answers on the road is proven to be a node. It has a method Allows(netip.AddrPort) bool where
	// no gateway decides what may be sent to. Meeting closes it.
	Open(ctx context.Context) (conn net.PacketConn, seeds []netip.AddrPort, err error)
	// Relay returns a link to a relay; relay.ErrRelay if there is none. Meeting closes its stream.
	Relay(ctx context.Context) (*relay.Link, error)
}

// ask runs f on a link to a relay.
func (m *Meeting) ask(ctx context.Context, t Trip, f func(*relay.Link) error) error {
	l, err := t.Relay(ctx)
	if err != nil {
		return err
	}
	defer l.Stream.Close()
	err = f(l)
	if !l.Date.IsZero() {
		m.clocks.note(m.now().Sub(l.Date))
	}
	return err
}

// road opens a road, runs f on it and closes it.
func (m *Meeting) road(ctx context.Context, t Trip, f func(*walk.Road) error) error {
	conn, seeds, err := t.Open(ctx)
	if err != nil {
		return err
	}
	r := walk.Open(ctx, conn, seeds)
	defer r.Close()
	r.Size, r.Wary = m.Atlas.Size(), m.Atlas.Wary()
	if g, ok := conn.(interface{ Gateway() string }); ok {
		r.Via = g.Gateway()
	}
	return f(r)
}

// learn takes in what the walks of a road taught. The targets of walks that teach the size of the
// network are such as nobody can foresee.
func (m *Meeting) learn(r *walk.Road) {
	m.Atlas.Learn(r.Via, r.Sizes(), r.Heard(), m.now())
	m.Atlas.Probed(r.Kept())
}

// store stores a body in a slot of a pair: by a relay every other time, and by a walk of our own
// when it is the turn of that, or the relay failed; once more if few nodes took it or the road was
// lost. Each try goes through another gateway, on a road of its own: two slots of one pair never
// share one. It sets seq and relayed of d.
func (m *Meeting) store(ctx context.Context, s *slot, body []byte, d *duty) (int, error) {
	t := m.Carrier.Trip()
	if d.relayed = !d.relayed; d.relayed {
		n, err := m.putByRelay(ctx, t, s, body, d)
		if err == nil && n >= MinStores || ctx.Err() != nil {
			return n, ctx.Err()
		}
		d.relayed = false
	}
	n, err := m.putByWalk(ctx, t, s, body, &d.seq)
	if (errors.Is(err, ErrFewStores) || errors.Is(err, ErrLost) || errors.Is(err, ErrNoNodes)) &&
		ctx.Err() == nil {
		again, err := m.putByWalk(ctx, t, s, body, &d.seq)
		return max(n, again), err
	}
	return n, err
}

// putByRelay lets a relay store a body. It does not know what is stored there, but what we stored:
// nobody else writes to the slot.
func (m *Meeting) putByRelay(ctx context.Context, t Trip, s *slot, body []byte,
	d *duty) (acks int, err error) {
	seq := s.seq(m.now())
	if seq <= d.seq {
		seq = d.seq + 1 + rand.Int64N(1<<20)
	}
	if seq < 0 {
		return 0, ErrTaken
	}
	err = m.ask(ctx, t, func(l *relay.Link) error {
		acks, err = l.Put(ctx, s.put(body, seq))
		return err
	})
	if err == nil {
		d.seq = seq
	}
	return acks, err
}

func (m *Meeting) putByWalk(ctx context.Context, t Trip, s *slot, body []byte,
	seq *int64) (acks int, err error) {
	err = m.road(ctx, t, func(r *walk.Road) error {
		defer m.learn(r)
		acks, err = put(ctx, r, s, body, m.now(), seq, func(*walk.Item) bool { return true })
		return err
	})
	return acks, err
}

// put stores a body in a slot if free allows it, given what is stored there now with a seq above
// *last, and sets *last to the seq it has now.
func put(ctx context.Context, r *walk.Road, s *slot, body []byte, now time.Time, last *int64,
	free func(have *walk.Item) bool) (int, error) {
	known := *last
	stored, err := r.Put(ctx, s.key(), known, func(have *walk.Item) (walk.Item, bool) {
		if have != nil {
			known = have.Seq
		}
		seq := s.seq(now)
		if seq <= known {
			seq = known + 1 + rand.Int64N(1<<20)
		}
		if !free(have) || seq < 0 { // a key holder can end a slot with the highest seq there is
			return walk.Item{}, false
		}
		*last = seq
		return s.put(body, seq), true
	})
	if err == nil && stored.Acks < min(MinStores, stored.Answered) {
		err = ErrFewStores
	}
	return stored.Acks, err
}

// get returns the record in a slot. What a relay finds is believed, for it is signed and sealed,
// unless we looked there lately; what it does not find is to be looked for by a walk through
// another gateway. Both begin at once: most looks are for somebody who is away and need both, and
// who is there is found by whichever is faster. A relay that takes much longer than our own walk
// holds nobody up.
func (m *Meeting) get(ctx context.Context, s *slot) (*card.Reach, error) {
	t := m.Carrier.Trip()
	if m.doubts.recent(s.key(), m.now()) {
		return m.getByWalk(ctx, t, s)
	}
	both, cancel := context.WithCancel(ctx)
	var relayed *card.Reach
	var all sync.WaitGroup
	all.Go(func() {
		r, err := m.getByRelay(both, t, s)
		if err == nil {
			relayed = r
			m.doubts.note(s.key(), m.now())
			cancel()
		}
	})
	begun := time.Now()
	walked, err := m.getByWalk(both, t, s)
	if err == nil {
		cancel()
	}
	late := time.AfterFunc(max(time.Since(begun), relayTime), cancel)
	all.Wait()
	late.Stop()
	cancel()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case relayed != nil:
		return relayed, nil
	}
	return walked, err
}

func (m *Meeting) getByRelay(ctx context.Context, t Trip, s *slot) (r *card.Reach, err error) {
	err = m.ask(ctx, t, func(l *relay.Link) error {
		i, err := l.Get(ctx, s.key())
		if err == nil {
			r, err = s.reach(i)
		}
		return err
	})
	return r, err
}

func (m *Meeting) getByWalk(ctx context.Context, t Trip, s *slot) (out *card.Reach, err error) {
	err = m.road(ctx, t, func(r *walk.Road) error {
		defer m.learn(r)
		i, err := r.Get(ctx, s.key(), quorum)
		if err == nil {
			out, err = s.reach(i)
		}
		return err
	})
	return out, err
}

// reach opens an item of a pair's slot; ErrNotFound if it is of no use.
func (s *slot) reach(i walk.Item) (*card.Reach, error) {
	if body, ok := s.open(i); ok {
		if r, ok := parseReach(body); ok {
			return &r, nil
		}
	}
	return nil, ErrNotFound
}

// doubts remembers which slots a relay answered for, and when.
type doubts struct {
	mu sync.Mutex
	at map[[32]byte]time.Time
}

// recent reports whether a relay answered for the slot lately.
func (d *doubts) recent(key [32]byte, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, known := d.at[key]
	return known && now.Sub(at).Abs() < doubtTime
}

// note remembers that a relay answered now. Beyond maxDoubts any one is forgotten.
func (d *doubts) note(key [32]byte, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at == nil {
		d.at = make(map[[32]byte]time.Time)
	}
	for k, at := range d.at {
		if len(d.at) >= maxDoubts || now.Sub(at).Abs() >= doubtTime {
			delete(d.at, k)
		}
	}
	d.at[key] = now
}
