// The size of the network, learned from walks to targets that nobody can foresee.

package meet

import (
	"context"
	"crypto/rand"
	"errors"

	"nightjar/node/meet/walk"
)

// Size estimates how many nodes the DHT has, from the last walks; 0 when too few were made yet. In
// a small network few hostile nodes are needed to swallow a record.
func (m *Meeting) Size() int { return int(m.Atlas.Size()) }

// Cover does what means nothing: it stores a record for nobody in nobody's slot, or looks for one,
// as Publish and Find do.
func (m *Meeting) Cover(ctx context.Context) error {
	var root [32]byte
	rand.Read(root[:])
	s := pairSlot(root, Side(root[0]&1), epochs.at(m.now()))
	if root[1]&1 == 0 {
		if _, err := m.get(ctx, s); !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	}
	d := duty{relayed: root[2]&1 == 0}
	_, err := m.store(ctx, s, make([]byte, bodySize), &d)
	return err
}

// survey walks to a random target if the size of the network is not known yet. Who watches cannot
// tell it from a look for a contact.
func (m *Meeting) survey(ctx context.Context) {
	if m.Atlas.Size() > 0 {
		return
	}
	var key [32]byte
	rand.Read(key[:])
	// What fails here fails elsewhere as well, and is said there.
	_ = m.road(ctx, m.Carrier.Trip(), func(r *walk.Road) error {
		defer m.learn(r)
		_, err := r.Get(ctx, key, 0)
		return err
	})
}
