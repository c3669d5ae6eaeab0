// The size of the network, learned from walks to targets that nobody can foresee.

package meet

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"

	"nightjar/node/meet/walk"
)

// crowdMemory is how many walks are remembered. The estimate is their upper quartile: a walk that
// missed some of the nearest makes the network look small, none makes it look large.
const (
	crowdMemory = 16
	crowdLeast  = 4 // fewer walks say too little
)

// crowd remembers what walks said about the size of the network.
type crowd struct {
	mu    sync.Mutex
	sizes []float64 // the last crowdMemory, oldest first
}

// learn takes in the walks of a road to slots of pairs.
func (c *crowd) learn(r *walk.Road) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sizes = append(c.sizes, r.Sizes()...)
	c.sizes = c.sizes[max(0, len(c.sizes)-crowdMemory):]
}

// size is the estimate, or 0 when nothing is known.
func (c *crowd) size() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sizes) < crowdLeast {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.sizes))
	return sorted[len(sorted)*3/4]
}

// Size estimates how many nodes the DHT has, from the last walks; 0 when too few were made yet. In
// a small network few hostile nodes are needed to swallow a record.
func (m *Meeting) Size() int { return int(m.crowd.size()) }

// survey walks to a random target if the size of the network is not known yet. Who watches cannot
// tell it from a look for a contact.
func (m *Meeting) survey(ctx context.Context) {
	if m.crowd.size() > 0 {
		return
	}
	var key [32]byte
	rand.Read(key[:])
	_ = m.road(ctx, func(r *walk.Road) error { // what fails here fails there as well, and is said
		defer m.crowd.learn(r)
		_, err := r.Get(ctx, key, 0)
		return err
	})
}
