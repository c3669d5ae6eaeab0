// Making identities: new ones, and from what was kept of old ones.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"nightjar/cmd/control"
	"nightjar/keystore"
	"nightjar/node"
	"nightjar/node/card"
)

// Errors of making an identity.
var (
	errVaultExists = errors.New("there is a vault here already; it may hold identities")
	errInUse       = errors.New("identities of this vault are open")
)

// newcomer is what init makes an identity from.
type newcomer struct {
	name   string
	phrase bool
	file   string
	keep   int
}

// cmdInit makes an identity, and a vault if there is none.
func cmdInit(ctx context.Context, c console, args []string) error {
	o := newOptions("init")
	var w newcomer
	o.set.StringVar(&w.name, "name", "", "")
	o.set.BoolVar(&w.phrase, "from-phrase", false, "")
	o.set.StringVar(&w.file, "from-file", "", "")
	o.set.IntVar(&w.keep, "keep", -1, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	switch {
	case w.phrase && w.file != "":
		return usageError{"an identity is made from a phrase or from a file, not from both"}
	case w.keep < -1 || w.keep >= keystore.Slots:
		return usageError{fmt.Sprintf("--keep is from 0 to %d", keystore.Slots-1)}
	}
	if err := node.CheckName(w.name); err != nil {
		return err
	}
	keystore.Harden() // nightjar up says what it could not do
	h, err := o.openHome()
	if err != nil {
		return err
	}
	if _, err := os.Stat(h.vault()); err == nil && w.keep < 0 {
		return errVaultExists
	}
	if len(control.Running(ctx, string(h))) > 0 {
		return errInUse
	}
	id, err := o.create(ctx, h, w)
	if err != nil {
		return err
	}
	defer id.Lock()
	address := card.Address(id.PublicKey()).String()
	if o.json {
		return c.json(map[string]string{"address": address})
	}
	fmt.Fprintln(c.out, "your address is", address)
	fmt.Fprintln(c.out, c.here("next: nightjar up"))
	return nil
}

// create asks for what the identity is made from, for its new password, and for those of
// identities that must not be overwritten.
func (o *options) create(ctx context.Context, h home, w newcomer) (*keystore.Identity, error) {
	var secrets passwords
	defer secrets.destroy()
	var old *keystore.Password
	var sealed []byte
	var err error
	switch {
	case w.phrase:
		old, err = secrets.add(o.ask(ctx, "the phrase: "))
	case w.file != "":
		if sealed, err = readExport(w.file); err == nil {
			old, err = secrets.add(o.ask(ctx, "password of the file: "))
		}
	}
	if err != nil {
		return nil, err
	}
	pw, err := secrets.add(o.askTwice(ctx, "new password: "))
	if err != nil {
		return nil, err
	}
	var kept []*keystore.Password
	for i := range max(w.keep, 0) {
		k, err := secrets.add(o.ask(ctx, fmt.Sprintf("password to keep, %d of %d: ", i+1, w.keep)))
		if err != nil {
			return nil, err
		}
		kept = append(kept, k)
	}
	return w.make(h, sealed, old, pw, kept)
}

// make makes the identity. The vault and what the identity is called come in one write.
func (w newcomer) make(h home, sealed []byte, old, pw *keystore.Password,
	kept []*keystore.Password) (*keystore.Identity, error) {
	state, err := node.FirstState(w.name)
	if err != nil {
		return nil, err
	}
	switch {
	case w.phrase:
		return keystore.Restore(h.vault(), old, state, pw, kept...)
	case w.file != "":
		return keystore.Import(h.vault(), sealed, old, pw, kept...)
	}
	return keystore.CreateWith(h.vault(), state, pw, kept...)
}

// passwords are destroyed together.
type passwords []*keystore.Password

// add remembers a password that was asked for.
func (l *passwords) add(p *keystore.Password, err error) (*keystore.Password, error) {
	if err == nil {
		*l = append(*l, p)
	}
	return p, err
}

func (l passwords) destroy() {
	for _, p := range l {
		p.Destroy()
	}
}

// unlock asks for the password and opens the identity it belongs to.
func (o *options) unlock(ctx context.Context, h home) (*keystore.Identity, error) {
	if _, err := os.Stat(h.vault()); err != nil {
		return nil, keystore.ErrNoVault
	}
	pw, err := o.ask(ctx, "password: ")
	if err != nil {
		return nil, err
	}
	defer pw.Destroy()
	return keystore.Open(h.vault(), pw)
}
