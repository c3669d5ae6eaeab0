// Inboxes: where invitations are left and collected.

package meet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/node/card"
	"nightjar/node/meet/relay"
	"nightjar/node/meet/walk"
)

const (
	perRoad = 4             // operations that may share a road
	linger  = 2 * time.Hour // an item may still be found so long after it was stored
)

// Leave puts a sealed invitation into two free slots of an inbox, today's, and returns how many
// nodes hold it, the smaller number of the two. Leaving the same invitation again renews it where
// it lies. If no slot is free it takes the place of others. It returns ErrRecord when sealed is not
// card.SealedSize long, and otherwise what Publish returns.
func (m *Meeting) Leave(ctx context.Context, inbox [32]byte, sealed []byte) (int, error) {
	if len(sealed) != card.SealedSize {
		return 0, ErrRecord
	}
	now := m.now()
	day := days.at(now)
	order := orderOf(sealed)
	acks := make([]int, leaveAt)
	trip := m.Carrier.Trip()
	var g errgroup.Group
	for i := range leaveAt { // each half of the slots through a gateway of its own
		g.Go(func() (err error) {
			half := order[i*perRoad : (i+1)*perRoad]
			acks[i], err = m.leave(ctx, trip, inbox, day, half, sealed)
			return err
		})
	}
	err := g.Wait()
	return slices.Min(acks), err
}

// leave stores sealed in the first free slot of those given, or in the first if none is. A slot
// that few nodes took is one that somebody else writes to at this moment.
func (m *Meeting) leave(ctx context.Context, t Trip, inbox [32]byte, day int64, order []int,
	sealed []byte) (acks int, err error) {
	err = m.road(ctx, t, func(r *walk.Road) error {
		for _, index := range order {
			s := inboxSlot(inbox, day, index)
			acks, err = put(ctx, r, s, sealed, m.now(), new(int64), func(have *walk.Item) bool {
				return have == nil || s.holds(*have, sealed)
			})
			if !errors.Is(err, ErrTaken) && !errors.Is(err, ErrFewStores) {
				return err
			}
		}
		s := inboxSlot(inbox, day, order[0])
		acks, err = put(ctx, r, s, sealed, m.now(), new(int64),
			func(*walk.Item) bool { return true })
		return err
	})
	return acks, err
}

// holds reports whether an item of the slot holds body, or is of no use to anybody.
func (s *slot) holds(i walk.Item, body []byte) bool {
	have, ok := s.open(i)
	return !ok || bytes.Equal(have, body)
}

// orderOf returns the slots of an inbox in an order that is random but the same for the same
// invitation, so that leaving it again finds it.
func orderOf(sealed []byte) []int {
	h := sha256.Sum256(sealed)
	seed := rand.NewPCG(binary.BigEndian.Uint64(h[:]), binary.BigEndian.Uint64(h[8:]))
	return rand.New(seed).Perm(indices)
}

// Collect returns what lies in an inbox now, each sealed invitation once: today's, and near
// midnight (UTC) the neighbouring day's. Each slot is looked at twice, by a relay and by a walk of
// our own through another gateway. If a walk failed, it returns what was found and the error:
// ErrNoNodes, ErrLost, or that of ctx or Carrier. An empty inbox is no error.
func (m *Meeting) Collect(ctx context.Context, inbox [32]byte) ([][]byte, error) {
	var slots []*slot
	for _, day := range days.around(m.now(), linger, overlap) {
		for index := range indices {
			slots = append(slots, inboxSlot(inbox, day, index))
		}
	}
	rand.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
	var f finds
	var g errgroup.Group
	g.Go(func() error {
		m.survey(ctx)
		return nil
	})
	for some := range slices.Chunk(slots, perRoad) {
		trip := m.Carrier.Trip()
		g.Go(func() error {
			_ = m.ask(ctx, trip, func(l *relay.Link) error { return f.hear(ctx, l, some) })
			return nil // the walk tells
		})
		g.Go(func() error {
			return m.road(ctx, trip, func(r *walk.Road) error { return f.look(ctx, r, some) })
		})
	}
	err := g.Wait()
	return f.bodies, err
}

// finds is what several roads found.
type finds struct {
	mu     sync.Mutex
	bodies [][]byte
}

// hear asks a relay for the slots, one after the other.
func (f *finds) hear(ctx context.Context, l *relay.Link, slots []*slot) error {
	for _, s := range slots {
		i, err := l.Get(ctx, s.key())
		if err != nil && !errors.Is(err, relay.ErrNotFound) {
			return err
		}
		if body, ok := s.open(i); err == nil && ok {
			f.add(body)
		}
	}
	return nil
}

// look gets the slots at the same time.
func (f *finds) look(ctx context.Context, r *walk.Road, slots []*slot) error {
	var g errgroup.Group
	for _, s := range slots {
		g.Go(func() error {
			i, err := r.Get(ctx, s.key(), 0)
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			if body, ok := s.open(i); err == nil && ok {
				f.add(body)
			}
			return err
		})
	}
	return g.Wait()
}

func (f *finds) add(body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.ContainsFunc(f.bodies, func(b []byte) bool { return bytes.Equal(b, body) }) {
		f.bodies = append(f.bodies, body)
	}
}
