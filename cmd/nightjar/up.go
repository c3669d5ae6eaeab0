// The engine: every part wired to the others, until one ends.

package main

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/cmd/control"
	"nightjar/keystore"
	"nightjar/node"
	"nightjar/node/talk"
	"nightjar/onion"
	"nightjar/sip"
)

// errLocked ends the engine because the user said lock.
var errLocked = errors.New("locked")

// phoneUser is the account name of the one phone an identity has.
const phoneUser = "me"

// cmdUp runs the engine until it is interrupted, locked, or tor ends.
func cmdUp(ctx context.Context, c console, args []string) error {
	o := newOptions("up")
	tor := o.torFlags()
	listen := o.set.String("sip", "127.0.0.1:5060", "")
	noPhone := o.set.Bool("no-phone", false, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	if *noPhone {
		*listen = ""
	}
	return o.withIdentity(ctx, c, func(h home, id *keystore.Identity, warnings []string) error {
		e := &engine{console: c, id: id, warnings: warnings, start: time.Now()}
		return e.run(ctx, h, tor, *listen)
	})
}

// withIdentity hardens the process, claims the home, opens an identity, and locks it after f.
func (o *options) withIdentity(ctx context.Context, c console,
	f func(h home, id *keystore.Identity, warnings []string) error) error {
	warnings := keystore.Harden()
	h, err := o.openHome()
	if err != nil {
		return err
	}
	release, err := h.claim()
	if err != nil {
		return err
	}
	defer release()
	id, err := o.unlock(ctx, h)
	if err != nil {
		return err
	}
	defer id.Lock()
	for _, w := range warnings {
		fmt.Fprintln(c.err, "nightjar: note:", w)
	}
	return f(h, id, warnings)
}

// engine is the parts of one running engine.
type engine struct {
	console
	id       *keystore.Identity
	door     *control.Door
	node     *node.Node // set before the door opens and the phone runs
	tor      *onion.Tor
	phone    *sip.Phone
	settings sip.Config
	warnings []string
	start    time.Time
}

// run answers on the control socket from the first moment, and lets the parts work until one of
// them ends.
func (e *engine) run(ctx context.Context, h home, f torFlags, listen string) error {
	socket, err := control.Listen(h.socket())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	e.door = control.NewDoor(func() { cancel(errLocked) })
	var g errgroup.Group
	g.Go(func() error { return control.Serve(ctx, socket, e.door) })
	g.Go(func() error {
		err := e.assemble(ctx, f, listen)
		cancel(err)
		return err
	})
	if err := g.Wait(); !errors.Is(err, context.Canceled) && !errors.Is(err, errLocked) {
		return err
	}
	return nil
}

// assemble wires the parts, and takes them apart when the work is over.
func (e *engine) assemble(ctx context.Context, f torFlags, listen string) (err error) {
	if listen != "" {
		if err := e.openPhone(listen); err != nil {
			return err
		}
	}
	e.tor, err = e.startTor(ctx, f, e.id, e.door.Starting)
	if err != nil {
		return err
	}
	defer e.tor.Close()
	if e.node, err = node.New(node.Config{Identity: e.id, Path: e.tor}); err != nil {
		return err
	}
	if e.phone != nil {
		e.node.SetPhone(e.phone)
	}
	e.door.Open(control.Engine{Node: e.node, Status: e.status, Phone: e.phoneSettings})
	err = e.work(ctx)
	_ = e.tor.Close() // tor writes down its guards when it ends
	guards, stateErr := e.tor.State()
	if stateErr == nil {
		stateErr = e.node.KeepPathData(guards)
	}
	return errors.Join(err, stateErr)
}

// openPhone opens the door for a SIP phone. It comes first: a port that is not free should show
// before the wait for tor.
func (e *engine) openPhone(listen string) error {
	secret, err := e.id.Derive("nightjar phone", nil)
	if err != nil {
		return err
	}
	defer clear(secret[:])
	e.settings = sip.Config{Listen: listen, User: phoneUser,
		Password: base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret[:20])}
	e.phone, err = sip.New(e.settings, phoneEngine{e})
	return err
}

// work runs every part; the first to end ends the others.
func (e *engine) work(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.node.Run(ctx) })
	if e.phone != nil {
		g.Go(func() error { return e.phone.Run(ctx) })
	}
	g.Go(func() error { e.narrate(ctx); return nil })
	g.Go(func() error {
		select {
		case <-e.tor.Done():
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
			e.step(e.start, sentence(control.Event{Kind: string(ev.Kind), Contact: ev.Contact,
				Text: ev.Text}))
		case <-ctx.Done():
			return
		}
	}
}

// status is what only the process knows.
func (e *engine) status() control.Status {
	s := control.Status{Version: version, Path: "tor", Erasure: keystore.ErasureOn(),
		Warnings: append([]string{}, e.warnings...), Exposes: []string{}}
	for _, x := range e.tor.Exposes() {
		s.Exposes = append(s.Exposes, x.Who+" learns "+x.Learns+"; not "+x.Hidden)
	}
	s.Warnings = append(s.Warnings, "the engine is not sealed: it has no rule in the kernel that "+
		"keeps it from the network, only its own code")
	if !s.Erasure {
		s.Warnings = append(s.Warnings, "this build does not erase secrets from memory for sure; "+
			"build it with make build")
	}
	s.Phone = e.phone != nil && e.phone.Registered()
	return s
}

// phoneSettings is what to type into a phone.
func (e *engine) phoneSettings() control.Phone {
	p := control.Phone{On: e.phone != nil}
	if !p.On {
		return p
	}
	p.Registered = e.phone.Registered()
	setup := sip.Setup(e.settings)
	for _, s := range setup.Settings {
		p.Settings = append(p.Settings, control.Setting{Label: s.Label, Value: s.Value})
	}
	p.Paste = setup.Paste
	return p
}

// phoneEngine is what a phone's door needs of a node.
type phoneEngine struct{ *engine }

// Contacts lists the names a phone can call.
func (p phoneEngine) Contacts() (names []string) {
	for _, c := range p.node.Contacts() {
		names = append(names, c.Name)
	}
	return names
}

// Send queues a text.
func (p phoneEngine) Send(ctx context.Context, contact, text string) error {
	_, err := p.node.Send(ctx, contact, text)
	return err
}

// Online reports whether the contact is connected.
func (p phoneEngine) Online(contact string) bool { return p.node.Connected(contact) }

// Dial begins a call.
func (p phoneEngine) Dial(ctx context.Context, contact string, offer []talk.Codec) (
	talk.Call, error) {
	return p.node.Dial(ctx, contact, offer)
}
