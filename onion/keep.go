// Looking after a tor: what happens when it ends by itself.

package onion

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"nightjar/onion/torproc"
)

const (
	// settled is how long a tor must have lived for its end to be no sign of a fault that comes
	// back at once.
	settled = time.Minute
	// longestPause is the longest time between two starts that fail.
	longestPause = 30 * time.Second
)

// look waits for the end of tor, and has it started again if it is to be kept.
func (t *Tor) look() {
	defer close(t.done)
	defer t.dropListeners()
	var pause time.Duration
	for {
		proc, begun := t.process(), time.Now()
		select {
		case <-proc.Done():
			if t.keep {
				t.changed(torproc.Ended)
			}
		case <-t.end:
			t.takeBack()
			proc.Close()
			return
		}
		t.suspendListeners()
		if !t.keep {
			return
		}
		if time.Since(begun) > settled {
			pause = 0
		}
		if pause = t.restart(pause); pause < 0 {
			return
		}
	}
}

// restart starts tor until it runs, and publishes the services again. It returns the pause that the
// next restart begins with, or a negative one if there will be no tor again.
func (t *Tor) restart(pause time.Duration) time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-t.end:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		if !wait(ctx, pause) {
			return -1
		}
		pause = min(max(2*pause, time.Second), longestPause)
		switch err := t.again(ctx); {
		case err == nil:
			return pause
		case hopeless(err):
			return -1 // another try would end alike
		}
	}
}

// again starts tor once, with the guards of the last one.
func (t *Tor) again(ctx context.Context) error {
	old := t.process()
	old.Close()
	if state, err := old.State(); err == nil && len(state) > 0 {
		t.config.State = state
	}
	t.mu.Lock()
	t.restarts++
	t.mu.Unlock()
	proc, err := t.enter(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.proc = proc
	t.auths = map[string][32]byte{}
	t.mu.Unlock()
	for _, l := range t.published() {
		if err := l.publish(proc); err != nil {
			proc.Close() // a tor that does not publish what it should is no use
			return err
		}
	}
	t.changed(torproc.Began)
	return nil
}

// hopeless reports whether a tor that could not be started again will never be: it is not there, or
// not what it should be.
func hopeless(err error) bool {
	for _, passing := range []error{ErrTorDied, ErrNotBootstrapped, torproc.ErrCommand,
		torproc.ErrAway, torproc.ErrAuth, torproc.ErrClock} {
		if errors.Is(err, passing) {
			return false
		}
	}
	return true
}

// wait waits for a pause, and reports whether ctx still runs.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// suspendListeners closes the sockets that the ended tor knew.
func (t *Tor) suspendListeners() {
	for _, l := range t.published() {
		l.suspend()
	}
}

// dropListeners ends the services for good.
func (t *Tor) dropListeners() {
	for _, l := range t.published() {
		l.drop()
	}
}

// published returns the listeners that are open.
func (t *Tor) published() []*torListener {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.listeners))
}
