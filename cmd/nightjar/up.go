// The engine: every part wired to the others, until one ends.

package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/cmd/control"
	"nightjar/cmd/control/api"
	"nightjar/keystore"
	"nightjar/node"
	"nightjar/onion"
	"nightjar/onion/exposure"
	"nightjar/onion/torproc"
	"nightjar/onion/ways"
	"nightjar/sip"
)

// cmdUp runs the engine until it is interrupted, locked, or tor ends.
func cmdUp(ctx context.Context, c console, args []string) error {
	o := newOptions("up")
	tor := o.torFlags()
	tor.exits = o.exitFlags()
	path := o.pathFlags()
	phone := o.phoneFlags()
	o.set.DurationVar(&o.lockAfter, "lock-after", 0, "")
	cover := o.set.Duration("cover", 0, "")
	memory := o.memoryFlags()
	sealed := o.set.Bool("require-seal", false, "")
	atOnce := o.set.Bool("now", false, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	if err := o.checkTimes(*cover); err != nil {
		return err
	}
	if err := tor.exits.check(); err != nil {
		return err
	}
	if err := phone.check(c); err != nil {
		return err
	}
	o.inherit(c)
	p, open, err := memory.where(o)
	if err != nil {
		return err
	}
	r, err := path.route(p, tor)
	if err != nil {
		return err
	}
	done, err := o.guarded(ctx, c, "up", args, guard{place: p, tor: tor, route: r,
		read: slices.Concat(memory.files(), tor.exits.files(), r.files())})
	if done || err != nil {
		return err
	}
	if err := c.checkSeal(*sealed); err != nil {
		return err
	}
	return o.withIdentity(ctx, c, api.RoleEngine, p, open,
		func(ctx context.Context, s *session) error {
			s.fresh = memory.fresh()
			e := &engine{console: c, session: s, derived: *memory.codename, start: time.Now(),
				atOnce: *atOnce, cover: *cover, changes: make(chan torproc.Notice, 16)}
			if e.roots, err = tor.exits.pool(); err != nil {
				return err
			}
			return e.assemble(ctx, tor, r, phone)
		})
}

// checkTimes refuses times that would silently mean something else.
func (o *options) checkTimes(cover time.Duration) error {
	given := map[string]bool{}
	o.set.Visit(func(f *flag.Flag) { given[f.Name] = true })
	switch {
	case given["lock-after"] && o.lockAfter < time.Second:
		return usageError{"--lock-after is at least one second: 15m, 2h"}
	case given["cover"] && (cover < 100*time.Millisecond || cover > 10*time.Second):
		return usageError{"--cover is between 100ms and 10s"}
	}
	return nil
}

// engine is the parts of one running engine.
type engine struct {
	console
	*session
	derived  bool // the identity follows from a codename
	atOnce   bool // begin beside other identities without a wait
	cover    time.Duration
	roots    *x509.CertPool // of https relays, if they may be asked
	node     *node.Node     // set before the door opens and the phone runs
	way      *ways.Way
	phone    *sip.Phone
	settings sip.Config
	start    time.Time
	changes  chan torproc.Notice // of the network
}

// assemble wires the parts, and takes them apart when the work is over.
func (e *engine) assemble(ctx context.Context, f torFlags, r route, phone phoneFlags) (err error) {
	if err := e.checkPath(r); err != nil {
		return err
	}
	if err := e.openPhone(phone); err != nil {
		return err
	}
	if r.Way == exposure.Direct {
		e.note("%s", notHidden)
	}
	if !e.atOnce {
		if err := e.beginApart(ctx); err != nil {
			return err
		}
	}
	e.way, err = e.openWay(ctx, f, r, e.session, e.changed)
	if err != nil {
		return err
	}
	defer e.way.Close()
	if err := e.keepPath(r); err != nil {
		return err
	}
	if e.node, err = node.New(e.nodeConfig(r)); err != nil {
		return err
	}
	e.idle.unless(func() bool { return e.node.Status().Calls > 0 })
	if e.phone != nil {
		e.node.SetPhone(e.phone)
	}
	e.door.Open(control.Engine{Node: e.node, Status: e.status, Phone: e.phoneSettings,
		Derived: e.derived})
	e.welcome(ctx)
	err = e.work(ctx)
	_ = e.way.Close() // tor writes down its guards when it ends
	stateErr := e.keepGuards(*f.control == "")
	if stateErr != nil {
		e.note("the guards that tor chose could not be kept: %s", what(stateErr))
	}
	e.farewell()
	return errors.Join(err, stateErr)
}

// nodeConfig is what the identity works with: one way out, of one kind.
func (e *engine) nodeConfig(r route) node.Config {
	c := node.Config{Identity: e.id, Derived: e.derived, Roots: e.roots, Cover: e.cover,
		Packets: e.way.Packets, Private: *r.private}
	if e.way.Tor != nil {
		c.Path = e.way.Tor
	}
	return c
}

// keepGuards stores what our own tor wrote down. Of a tor of others, and of one that wrote nothing,
// nothing is kept: an empty state would have the next one choose new guards.
func (e *engine) keepGuards(ours bool) error {
	if e.way.Tor == nil {
		return nil
	}
	guards, err := e.way.Tor.State()
	if err != nil || !ours || len(guards) == 0 {
		return err
	}
	return errors.Join(e.node.KeepPathData(guards), e.node.KeepEntry(e.way.Tor.Way()))
}

// farewell says what is lost with an identity that is in memory alone.
func (e *engine) farewell() {
	if s := e.node.Status(); e.place.memory && s.Pending > 0 {
		e.note("not delivered, and gone: %s", exposure.Count(s.Pending, "message"))
	}
}

// work runs every part; the first to end ends the others.
func (e *engine) work(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.node.Run(ctx) })
	if e.phone != nil {
		g.Go(func() error { return e.phone.Run(ctx) })
	}
	g.Go(func() error { e.narrate(ctx); return nil })
	g.Go(func() error { e.heed(ctx); return nil })
	g.Go(func() error { e.watchNetwork(ctx); return nil })
	g.Go(func() error {
		select {
		case <-e.way.Done():
			if e.way.Tor == nil {
				return errWayLost
			}
			return onion.ErrTorDied
		case <-ctx.Done():
			return nil
		}
	})
	return g.Wait()
}

// narrate shows what the engine does and waits for.
func (e *engine) narrate(ctx context.Context) {
	events, stop := e.node.Watch()
	defer stop()
	for {
		select {
		case ev, open := <-events:
			if !open {
				return
			}
			e.step(e.start, sentence(api.Event{Kind: string(ev.Kind), Contact: ev.Contact,
				Text: ev.Text}))
		case <-ctx.Done():
			return
		}
	}
}

// status is what only the process knows.
func (e *engine) status() api.Status {
	s := api.Status{Version: version, Path: e.way.Choice.Way.String(),
		Erasure: keystore.ErasureOn(),
		Sealed:  e.sealed().Sealed(), Seal: e.sealed().Words(),
		Warnings: append([]string{}, e.warnings...), Exposes: []string{}}
	for _, x := range e.way.Exposes() {
		s.Exposes = append(s.Exposes, x.String())
	}
	s.Warnings = append(s.Warnings, wayWarnings(e.way)...)
	if !s.Erasure {
		s.Warnings = append(s.Warnings, "this build does not erase secrets from memory for sure; "+
			"build it with make build")
	}
	s.Phone = e.phone != nil && e.phone.Registered()
	return s
}
