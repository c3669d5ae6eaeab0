// Locking identities that are open, and waiting until they are gone.

package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"nightjar/cmd/control"
	"nightjar/cmd/control/api"
	"nightjar/onion/exposure"
)

// lockTime is how long an engine may take to lock.
const lockTime = 10 * time.Second

// errLocking is an engine that still has its identity although it was told to lock it.
var errLocking = errors.New("it is being locked, which takes long; it is in memory still")

// cmdLock erases an identity and stops its engine, or all of them.
func cmdLock(ctx context.Context, c console, args []string) error {
	o := newOptions("lock")
	all := o.set.Bool("all", false, "")
	apart := o.set.Bool("apart", false, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	if !*all && !*apart {
		cl, err := o.client(ctx)
		if err != nil {
			return err
		}
		return c.lock(ctx, cl)
	}
	running := control.Running(ctx, o.homes()...)
	if len(running) == 0 {
		return control.ErrNoEngine
	}
	if *apart {
		return c.lockApart(ctx, running,
			func(e control.Engaged) error { return c.lock(ctx, e.Client) })
	}
	return c.lockAll(ctx, running)
}

// lock locks one engine, and says so when it is gone.
func (c console) lock(ctx context.Context, cl *control.Client) error {
	lost, err := lock(ctx, cl)
	if err == nil {
		err = gone(ctx, cl)
	}
	if err != nil {
		return err
	}
	c.lost(lost)
	c.line("locked: it is erased from memory")
	return nil
}

// lockAll locks all engines at once, and says so when they are gone.
func (c console) lockAll(ctx context.Context, running []control.Engaged) (failed error) {
	lost := 0
	for _, e := range running {
		n, err := lock(ctx, e.Client)
		lost, failed = lost+n, errors.Join(failed, err)
	}
	if failed != nil {
		return failed
	}
	for _, e := range running {
		failed = errors.Join(failed, gone(ctx, e.Client))
	}
	if failed == nil {
		c.lost(lost)
		c.line("locked: nothing of them is in memory any more")
	}
	return failed
}

// lost says how many messages were in memory alone and are gone.
func (c console) lost(n int) {
	if n > 0 {
		c.note("not delivered, and gone: %s", exposure.Count(n, "message"))
	}
}

// lock has an engine lock its identity, and returns how many messages are gone with it.
func lock(ctx context.Context, cl *control.Client) (lost int, err error) {
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	var id api.Identity
	var s api.Status
	if cl.Do(ctx, http.MethodGet, "/v1/identity", nil, &id) == nil && id.InMemory &&
		cl.Do(ctx, http.MethodGet, "/v1/status", nil, &s) == nil {
		lost = s.Pending
	}
	return lost, cl.Do(ctx, http.MethodPost, "/v1/lock", nil, nil)
}

// gone waits until an engine that was told to lock is gone: it answers as long as it has the
// identity. It returns errLocking if that takes too long.
func gone(ctx context.Context, cl *control.Client) error {
	late, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := cl.Do(late, http.MethodGet, "/v1/identity", nil, nil)
		if errors.Is(err, control.ErrNoEngine) {
			return nil
		}
		select {
		case <-late.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errLocking
		case <-again.C:
		}
	}
}
