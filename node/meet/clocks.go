// Clocks: how far ours is from those of relays.

package meet

import (
	"slices"
	"sync"
	"time"
)

const (
	clockMemory = 7
	clockLeast  = 3
)

// clocks remembers how far ours was ahead of the last relays'.
type clocks struct {
	mu    sync.Mutex
	ahead []time.Duration // the last clockMemory
}

func (c *clocks) note(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = append(c.ahead, d)
	c.ahead = c.ahead[max(0, len(c.ahead)-clockMemory):]
}

// ClockAhead returns by how much our clock is ahead of those of the relays that answered last, by
// their median; 0 when too few did. A clock that is wrong by more than 30 minutes, either way,
// keeps contacts from finding each other.
func (m *Meeting) ClockAhead() time.Duration {
	m.clocks.mu.Lock()
	defer m.clocks.mu.Unlock()
	if len(m.clocks.ahead) < clockLeast {
		return 0
	}
	sorted := slices.Sorted(slices.Values(m.clocks.ahead))
	return sorted[len(sorted)/2].Round(time.Minute)
}
