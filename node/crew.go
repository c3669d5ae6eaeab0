// The goroutines of a node, and their one owner.

package node

import (
	"context"
	"sync"
)

// crew owns every goroutine of a Node: nobody else in this package says go.
type crew struct {
	mu     sync.Mutex
	ctx    func() context.Context // set while running; a func so that no struct holds a context
	closed bool
	wait   sync.WaitGroup
}

// start lets spawn work until stop.
func (c *crew) start(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx = func() context.Context { return ctx }
}

// spawn runs f until it returns, where what it leaves is erased; it reports false, and runs
// nothing, when the crew is not at work.
func (c *crew) spawn(f func(context.Context)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil || c.closed {
		return false
	}
	ctx := c.ctx()
	c.wait.Go(func() { do(func() { f(ctx) }) })
	return true
}

// stop takes no more work and returns when all have ended. The context given to start must have
// ended before.
func (c *crew) stop() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wait.Wait()
}
