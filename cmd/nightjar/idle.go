// Locking an identity that nobody uses.

package main

import (
	"sync"
	"time"
)

// idle calls lock when nobody has used an engine for a while. What contacts do is no use.
type idle struct {
	after time.Duration // 0: never

	mu    sync.Mutex
	timer *time.Timer
	busy  func() bool // whether something goes on that must not be cut off
}

// newIdle begins to wait.
func newIdle(after time.Duration, lock func()) *idle {
	i := &idle{after: after, busy: func() bool { return false }}
	if after <= 0 {
		return i
	}
	i.timer = time.AfterFunc(after, func() {
		i.mu.Lock()
		busy := i.busy
		i.mu.Unlock()
		if busy() {
			i.used()
			return
		}
		lock()
	})
	return i
}

// used begins the wait anew.
func (i *idle) used() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.timer != nil {
		i.timer.Reset(i.after)
	}
}

// unless sets what keeps an engine from being locked: a call that goes on.
func (i *idle) unless(busy func() bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.busy = busy
}

// stop ends the wait.
func (i *idle) stop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.timer != nil {
		i.timer.Stop()
	}
}
