// Meeting: a contact publishes where it can be reached, and the other finds it.

package meet

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/node/card"
	"nightjar/node/meet/atlas"
)

// Meeting finds contacts and lets them find us. Its methods may be called at the same time; each
// returns when ctx ends, at the latest, and leaves no goroutine.
type Meeting struct {
	Carrier Carrier
	Now     func() time.Time // time.Now if nil
	Atlas   atlas.Atlas      // what walks taught; its owner may save it

	plan   plan
	doubts doubts
	clocks clocks
}

func (m *Meeting) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Publish stores r where the other side of the pair looks for side s, also if its clock is wrong by
// up to 30 minutes. Call it at the time Due returns. A call stores what is due by then, or at least
// what is due first; when r has changed, all there is.
//
// It returns how many nodes hold the record, the smallest number if it was stored in several slots
// (by the word of a gateway, when that did the walk; the next time we walk ourselves).
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
			d := m.plan.duty(slot)
			if acks[i], err = m.store(ctx, slot, body, &d); err == nil {
				d.last, d.what = now, gist(r)
				m.plan.done(slot, d)
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

// Find returns the newest reach record that side s published. It tolerates a clock that is wrong by
// up to 30 minutes: it looks into one slot only, that of the epoch it takes for the present one,
// since who publishes keeps that of the next and of the former stored when they might be meant; two
// slots that are looked for together would be seen to belong together. It returns ErrNotFound when
// there is none, or it has expired; ErrNoNodes; ErrLost; or the error of ctx or Carrier.
func (m *Meeting) Find(ctx context.Context, root [32]byte, s Side) (card.Reach, error) {
	now := m.now()
	found, err := m.get(ctx, pairSlot(root, s, epochs.at(now)))
	if err != nil {
		return card.Reach{}, err
	}
	if found.Expired(now.Add(-overlap)) {
		return card.Reach{}, ErrNotFound
	}
	return *found, nil
}
