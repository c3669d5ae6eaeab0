// An identity open in this process: its seat, the door behind it, and what ends it.

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sync/errgroup"

	"nightjar/cmd/control"
	"nightjar/cmd/control/api"
	"nightjar/keystore"
	"nightjar/node"
	"nightjar/node/card"
)

// Why an engine ends although nothing went wrong.
var (
	errLocked = errors.New("locked")
	errIdle   = errors.New("locked: nobody used it")
)

// session is an open identity and what belongs to the process that holds it.
type session struct {
	id       *keystore.Identity
	memory   node.Memory
	fresh    bool // all that it ever did is in memory: it was not opened elsewhere before
	place    place
	door     *control.Door
	idle     *idle
	warnings []string
}

// place is where a session works.
type place struct {
	home   home
	memory bool // nothing is written to disk
	leave  func()
}

// vaultPlace is the home directory of o, with a vault on disk.
func (o *options) vaultPlace() (place, error) {
	dir, err := o.homeDir()
	if err != nil {
		return place{}, err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return place{}, keystore.ErrNoVault // and nothing is made
	}
	h, err := makeHome(dir)
	return place{home: h, leave: func() {}}, err
}

// memoryPlace is a directory that leaves nothing on disk.
func (o *options) memoryPlace() (place, error) {
	h, leave, err := o.memoryHome()
	return place{home: h, memory: true, leave: leave}, err
}

// A source opens an identity, asking for whatever that takes.
type source func(ctx context.Context, h home) (*keystore.Identity, error)

// withIdentity hardens the process, takes a seat, opens an identity and locks it after f. The door
// answers from the first moment. It ends when f does, when somebody locks it, and when nobody has
// used it for as long as o says.
func (o *options) withIdentity(ctx context.Context, c console, role api.Role, p place,
	open source, f func(context.Context, *session) error) error {
	s := &session{place: p, warnings: append(c.holes(), keystore.Harden()...)}
	defer p.leave()
	socket, err := control.Claim(string(p.home), c.seats())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.idle = newIdle(o.lockAfter, func() { cancel(errIdle) })
	defer s.idle.stop()
	s.door = control.NewDoor(func() { cancel(errLocked) }, s.idle.used)
	defer context.AfterFunc(ctx, s.door.Shut)()
	// The socket is there for as long as the identity: who locks it sees when it is gone.
	served, over := context.WithCancel(context.WithoutCancel(ctx))
	var g errgroup.Group
	g.Go(func() error {
		err := control.Serve(served, socket, s.door)
		cancel(err)
		return err
	})
	g.Go(func() error {
		defer over()
		err := s.work(ctx, o, c, role, open, f)
		cancel(err)
		return err
	})
	err = g.Wait()
	switch cause := context.Cause(ctx); {
	case errors.Is(err, errIdle) || errors.Is(err, context.Canceled) && cause == errIdle:
		c.line("nightjar: locked: nobody used it for %v", o.lockAfter)
		return nil
	case errors.Is(err, errLocked) || errors.Is(err, context.Canceled) && cause == errLocked:
		c.line("nightjar: locked: the identity is erased from memory")
		return nil
	case errors.Is(err, context.Canceled):
		return nil
	}
	return err
}

// work opens the identity, says on the door who it is, and runs f.
func (s *session) work(ctx context.Context, o *options, c console, role api.Role, open source,
	f func(context.Context, *session) error) (err error) {
	if s.id, err = open(ctx, s.place.home); err != nil {
		return err
	}
	defer s.id.Lock()
	if s.memory, err = node.Remembered(s.id); err != nil {
		return err
	}
	err = s.door.Introduce(ctx, api.Identity{Role: role, Name: s.memory.Name,
		Address:  card.Address(s.id.PublicKey()).String(),
		InMemory: s.place.memory}, string(s.place.home), c.seats())
	if err != nil {
		return err
	}
	if role != api.RoleTool { // what concerns an engine is no matter of a moment
		for _, w := range s.warnings {
			c.note("%s", w)
		}
	}
	s.idle.used()
	return f(ctx, s)
}

// fromVault opens the identity in the vault that a password belongs to.
func (o *options) fromVault(ctx context.Context, h home) (*keystore.Identity, error) {
	return o.unlock(ctx, h)
}

// withVault is withIdentity for the commands that hold an identity of the vault for a moment.
func (o *options) withVault(ctx context.Context, c console,
	f func(ctx context.Context, id *keystore.Identity) error) error {
	p, err := o.vaultPlace()
	if err != nil {
		return err
	}
	return o.withIdentity(ctx, c, api.RoleTool, p, o.fromVault,
		func(ctx context.Context, s *session) error { return f(ctx, s.id) })
}
