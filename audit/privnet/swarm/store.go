// What a node keeps for others, with a bound that the library's own store lacks.

package swarm

import (
	"sync"

	"github.com/anacrolix/dht/v2/bep44"
)

// maxItems per node is libtorrent's default.
const maxItems = 700

// store keeps at most maxItems items; when full, any one makes room.
type store struct {
	mu    sync.Mutex
	items map[bep44.Target]*bep44.Item
}

func newStore() *store { return &store{items: make(map[bep44.Target]*bep44.Item)} }

// Put implements bep44.Store.
func (s *store) Put(i *bep44.Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := i.Target()
	if _, ok := s.items[t]; !ok && len(s.items) >= maxItems {
		for victim := range s.items {
			delete(s.items, victim)
			break
		}
	}
	s.items[t] = i
	return nil
}

// Get implements bep44.Store.
func (s *store) Get(t bep44.Target) (*bep44.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.items[t]; ok {
		return i, nil
	}
	return nil, bep44.ErrItemNotFound
}

// Del implements bep44.Store.
func (s *store) Del(t bep44.Target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.items, t)
	return nil
}
