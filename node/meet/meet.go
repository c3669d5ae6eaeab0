// Meeting: a contact publishes where it can be reached, and the other finds it.

package meet

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/node/card"
	"nightjar/node/meet/walk"
)

// quorum copies of the newest record are enough to believe that it is the newest.
const quorum = 3

// Carrier is the way to the DHT.
type Carrier interface {
	// Open returns a road for up to four operations of one identity, which whoever watches its
	// far end may link: a fresh circuit to a gateway, chosen at random. The seeds are DHT nodes
	// to begin with. The conn carries packets as they are; its ReadFrom fails only for good. It
	// may have a method Lost() <-chan struct{} that says so sooner. Meeting closes it.
	Open(ctx context.Context) (conn net.PacketConn, seeds []netip.AddrPort, err error)
}

// Meeting finds contacts and lets them find us. Its methods may be called at the same time; each
// returns when ctx ends, at the latest, and leaves no goroutine.
type Meeting struct {
	Carrier Carrier
	Now     func() time.Time // time.Now if nil

	crowd crowd
	plan  plan
}

func (m *Meeting) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Publish stores r where the other side of the pair looks for side s, also if its clock is wrong by
// up to 30 minutes. Call it at the time Due returns, or after 40 to 80 minutes. A call stores what
// is due by then; at first, or when r has changed, all there is.
//
// It returns how many nodes hold the record, the smallest number if it was stored in several slots.
// It returns ErrFewStores when that is fewer than MinStores even after a second try through another
// gateway; card.ErrReach when r is no record; ErrNoNodes; ErrLost; ErrTaken; or the error of ctx or
// Carrier.
func (m *Meeting) Publish(ctx context.Context, root [32]byte, s Side, r card.Reach) (int, error) {
	body, err := reachBody(r)
	if err != nil {
		return 0, err
	}
	defer clear(body)
	now := m.now()
	slots := m.plan.pick(publishes(root, s, now), gist(r), now)
	acks := make([]int, len(slots))
	var g errgroup.Group
	for i, slot := range slots {
		g.Go(func() (err error) {
			seq := m.plan.seq(slot)
			if acks[i], err = m.putTwice(ctx, slot, body, &seq); err == nil {
				m.plan.done(slot, gist(r), seq, now)
			}
			return err
		})
	}
	err = g.Wait()
	return slices.Min(acks), err
}

// Due returns when Publish is to be called next for side s of a pair: when its next slot is due.
func (m *Meeting) Due(root [32]byte, s Side) time.Time {
	now := m.now()
	return m.plan.next(publishes(root, s, now), now)
}

// putTwice stores a body, and once more through another gateway if few nodes took it or the road
// was lost. Each try has a road of its own: two slots of one pair never share one. seq is what the
// slot's item had when it was last stored here, or 0, and then what it has.
func (m *Meeting) putTwice(ctx context.Context, s *slot, body []byte, seq *int64) (int, error) {
	n, err := m.put(ctx, s, body, seq)
	if (errors.Is(err, ErrFewStores) || errors.Is(err, ErrLost) || errors.Is(err, ErrNoNodes)) &&
		ctx.Err() == nil {
		again, err := m.put(ctx, s, body, seq)
		return max(n, again), err
	}
	return n, err
}

func (m *Meeting) put(ctx context.Context, s *slot, body []byte, seq *int64) (acks int, err error) {
	err = m.road(ctx, func(r *walk.Road) error {
		defer m.crowd.learn(r)
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

// Find returns the newest reach record that side s published. It tolerates a clock that is wrong by
// up to 30 minutes. It returns ErrNotFound when there is none, or it has expired; ErrNoNodes;
// ErrLost; or the error of ctx or Carrier.
func (m *Meeting) Find(ctx context.Context, root [32]byte, s Side) (card.Reach, error) {
	now := m.now()
	looks := epochs.around(now, overlap, overlap)
	found := make([]*card.Reach, len(looks))
	errs := make([]error, len(looks))
	var g errgroup.Group
	for i, epoch := range looks {
		g.Go(func() error {
			found[i], errs[i] = m.get(ctx, pairSlot(root, s, epoch))
			return nil
		})
	}
	_ = g.Wait()
	for i := len(found) - 1; i >= 0; i-- { // the later epoch first
		if found[i] != nil && !found[i].Expired(now.Add(-overlap)) {
			return *found[i], nil
		}
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, ErrNotFound) {
			return card.Reach{}, err
		}
	}
	return card.Reach{}, ErrNotFound
}

func (m *Meeting) get(ctx context.Context, s *slot) (*card.Reach, error) {
	var reach card.Reach
	err := m.road(ctx, func(r *walk.Road) error {
		defer m.crowd.learn(r)
		i, err := r.Get(ctx, s.key(), quorum)
		if err != nil {
			return err
		}
		body, ok := s.open(i)
		if ok {
			reach, ok = parseReach(body)
		}
		if !ok {
			return ErrNotFound
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &reach, nil
}

// road opens a road, runs f on it and closes it.
func (m *Meeting) road(ctx context.Context, f func(*walk.Road) error) error {
	conn, seeds, err := m.Carrier.Open(ctx)
	if err != nil {
		return err
	}
	r := walk.Open(ctx, conn, seeds)
	defer r.Close()
	r.Size = m.crowd.size()
	return f(r)
}
