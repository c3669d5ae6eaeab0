// Ways into the network: which is tried when, and which one worked.

package onion

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"nightjar/onion/bridge"
	"nightjar/onion/torproc"
)

// patience is how long one way of several may get no further.
const patience = 45 * time.Second

// An entry is how tor gets into its network.
type entry struct {
	options  []string // for every way
	patience time.Duration
	once     bool
	progress func(Progress)

	mu   *sync.Mutex
	ways []string // the one to be tried first is the one that worked
}

func newEntry(c TorConfig) entry {
	e := entry{options: c.Options, patience: c.Patience, once: c.Once, progress: c.Progress,
		mu: new(sync.Mutex), ways: slices.Clone(c.Ways)}
	if len(e.ways) == 0 {
		e.ways = []string{bridge.Plain}
	}
	if e.patience == 0 {
		e.patience = patience
	}
	return e
}

// Way returns the way into the network that worked: a bridge line, or "" for none. Keep it sealed.
func (t *Tor) Way() string {
	t.entry.mu.Lock()
	defer t.entry.mu.Unlock()
	return t.entry.ways[0]
}

// worked puts a way before the others.
func (e *entry) worked(way string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.Index(e.ways, way)
	e.ways = slices.Insert(slices.Delete(slices.Clone(e.ways), i, i+1), 0, way)
}

// enter starts a tor, and goes through the ways until one leads into the network, ctx ends, or it
// is clear that none will.
func (t *Tor) enter(ctx context.Context) (*torproc.Process, error) {
	t.entry.mu.Lock()
	ways := t.entry.ways
	t.entry.mu.Unlock()
	for {
		tried := false
		var last error
		for _, way := range ways {
			c, err := t.through(way)
			var proc *torproc.Process
			if err == nil {
				proc, err = torproc.Start(ctx, c)
			}
			switch {
			case err == nil:
				t.entry.worked(way)
				return proc, nil
			case ctx.Err() != nil:
				return nil, err
			case errors.Is(err, torproc.ErrClock):
				return nil, err // it would be as wrong for the next
			case errors.Is(err, ErrNotBootstrapped):
				tried = true
			case len(ways) == 1 || !unusable(err):
				return nil, err
			}
			last = err
		}
		if !tried || t.entry.once {
			return nil, last
		}
	}
}

// unusable reports whether an error is the fault of one way alone.
func unusable(err error) bool {
	for _, one := range []error{bridge.ErrLine, bridge.ErrWeak, bridge.ErrNoObfs4,
		bridge.ErrNoSnowflake, bridge.ErrNoWebtunnel} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// through returns what starts a tor that enters by one way.
func (t *Tor) through(way string) (torproc.Config, error) {
	c, kind := t.config, ""
	c.Options = slices.Clone(t.entry.options)
	if way != bridge.Plain {
		line, err := bridge.Parse(way)
		if err != nil {
			return c, err
		}
		kind = line.Kind()
		c.Options = append(c.Options, "UseBridges 1", line.Option())
	}
	if len(t.entry.ways) > 1 || t.entry.once || t.restarts > 0 {
		c.Patience = t.entry.patience
	}
	c.Once = t.entry.once
	if progress := t.entry.progress; progress != nil {
		c.Progress = func(n int, reason string, trouble error) {
			progress(Progress{Percent: n, Reason: reason, Trouble: trouble, Bridge: kind})
		}
	}
	return c, nil
}
