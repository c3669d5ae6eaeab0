// Making identities: new ones, and from what was kept of old ones.

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"nightjar/cmd/control"
	"nightjar/keystore"
	"nightjar/node"
	"nightjar/node/card"
	"nightjar/onion/exposure"
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
	sealed []byte // what is in it
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
	if w.file != "" {
		var err error
		if w.sealed, err = readExport(w.file); err != nil {
			return err
		}
	}
	dir, err := o.free(ctx, w.keep)
	if err != nil {
		return err
	}
	id, err := o.create(ctx, c, dir, w)
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

// free is the directory of the home, once it is known that an identity can be made there.
func (o *options) free(ctx context.Context, keep int) (string, error) {
	dir, err := o.homeDir()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(home(dir).vault()); err == nil && keep < 0 {
		return "", errVaultExists
	}
	if len(control.Running(ctx, dir)) > 0 {
		return "", errInUse
	}
	_, undo, err := newHome(dir) // only to see whether it can be
	undo()
	return dir, err
}

// newHome makes the directory of a home. Undo removes it, and those above it that had to be made,
// if no vault has come to be in it.
func newHome(dir string) (h home, undo func(), err error) {
	var made []string
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, at)
	}
	lock := home(dir).vault() + ".lock"
	_, err = os.Lstat(lock)
	ours := errors.Is(err, fs.ErrNotExist)
	undo = func() {
		if _, err := os.Lstat(home(dir).vault()); err == nil {
			return
		}
		if ours {
			_ = os.Remove(lock)
		}
		for _, at := range made {
			_ = os.Remove(at) // fails if there is anything in it
		}
	}
	h, err = makeHome(dir)
	return h, undo, err
}

// create asks for what the identity is made from, for its new password, and for those of
// identities that must not be overwritten; then it makes it, or leaves nothing.
func (o *options) create(ctx context.Context, c console, dir string, w newcomer) (
	*keystore.Identity, error) {
	var secrets passwords
	defer secrets.destroy()
	var old *keystore.Password
	var err error
	switch {
	case w.phrase:
		if old, err = secrets.add(o.ask(ctx, "the phrase: ")); err == nil {
			err = keystore.CheckPhrase(old)
		}
	case w.file != "":
		old, err = secrets.add(o.ask(ctx, "password of the file: "))
	}
	if err != nil {
		return nil, err
	}
	pw, err := secrets.add(o.askTwice(ctx, c, "new password: "))
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
	h, undo, err := newHome(dir)
	if err != nil {
		undo()
		return nil, err
	}
	id, err := w.make(h, old, pw, kept)
	if err != nil {
		undo()
	}
	return id, err
}

// make makes the identity. The vault and what the identity is called come in one write.
func (w newcomer) make(h home, old, pw *keystore.Password, kept []*keystore.Password) (
	*keystore.Identity, error) {
	state, err := node.FirstState(w.name)
	if err != nil {
		return nil, err
	}
	var id *keystore.Identity
	switch {
	case w.phrase:
		id, err = keystore.Restore(h.vault(), old, state, pw, kept...)
	case w.file != "":
		id, err = keystore.Import(h.vault(), w.sealed, old, pw, kept...)
	default:
		return keystore.CreateWith(h.vault(), state, pw, kept...)
	}
	if err != nil {
		return nil, err
	}
	if err := keepOldPath(id); err != nil {
		id.Lock()
		return nil, err
	}
	return id, nil
}

// keepOldPath has an identity of before, of which nobody knows how it went out, go by tor: another
// way would show what tor hid, and has to be asked for (--change-path).
func keepOldPath(id *keystore.Identity) error {
	m, err := node.Remembered(id)
	if err != nil || wentBy(m.Way, m.PathData) != "" {
		return err
	}
	return node.KeepWay(id, exposure.Tor.String())
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
