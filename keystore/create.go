// New identities in a vault: created, or brought back from a phrase or an export. Each comes in
// one write, and so does a vault that was not there: no crash leaves a vault without it.

package keystore

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"nightjar/keystore/words"
)

// Create makes a new identity that pw opens, in a slot drawn at random, with an empty state;
// and the vault itself if there is none. It returns ErrExists if pw opens one already.
//
// A used slot looks like an unused one, so the draw can hit an identity that is not open and
// destroy it (see Slots for the chance). The slots of the keep passwords are never drawn; a
// keep password that opens nothing is ErrPassword, and nothing is written. Each password costs
// one derivation, about half a second.
func Create(path string, pw *Password, keep ...*Password) (*Identity, error) {
	return CreateWith(path, nil, pw, keep...)
}

// CreateWith is Create with a first state. After a crash at any moment there is either all that
// there was before, or the vault with the identity in it and its state.
func CreateWith(path string, state []byte, pw *Password, keep ...*Password) (*Identity, error) {
	return at(path, standard()).createWith(state, pw, keep)
}

// Restore is CreateWith for the identity that a phrase stands for; *WordsError if it is none. A
// phrase holds the keys and nothing else. If the vault has this identity already, under another
// password, nobody can tell: it is then there twice.
func Restore(path string, phrase *Password, state []byte, pw *Password, keep ...*Password) (
	*Identity, error) {
	return at(path, standard()).restore(phrase, state, pw, keep)
}

// Import is Create for an identity that Export wrote, with its keys and its state. its is the
// password of the export; ErrNotExport and ErrExport if it cannot be opened. As with Restore,
// an identity that the vault has already is then there twice.
func Import(path string, sealed []byte, its, pw *Password, keep ...*Password) (*Identity, error) {
	return at(path, standard()).importIdentity(sealed, its, pw, keep)
}

// newcomer is what an identity begins with.
type newcomer struct {
	master *arena
	state  []byte
}

func (v vault) createIdentity(pw *Password, keep []*Password) (*Identity, error) {
	return v.createWith(nil, pw, keep)
}

func (v vault) createWith(state []byte, pw *Password, keep []*Password) (*Identity, error) {
	master, err := newMaster(drawn)
	if err != nil {
		return nil, err
	}
	defer master.destroy()
	return v.settle(newcomer{master, state}, pw, keep)
}

func (v vault) restore(phrase *Password, state []byte, pw *Password, keep []*Password) (
	*Identity, error) {
	text, err := phrase.text()
	if err != nil {
		return nil, err
	}
	master, err := newMaster(func(m []byte) error { return words.ParsePhrase(m, text) })
	if err != nil {
		return nil, err
	}
	defer master.destroy()
	return v.settle(newcomer{master, state}, pw, keep)
}

func (v vault) importIdentity(sealed []byte, its, pw *Password, keep []*Password) (
	*Identity, error) {
	n, err := openExport(v.cost, sealed, its)
	if err != nil {
		return nil, err
	}
	defer n.master.destroy()
	defer clear(n.state)
	return v.settle(n, pw, keep)
}

// newMaster returns the master secret that fill makes, inside do.
func newMaster(fill func(master []byte) error) (*arena, error) {
	a, err := newArena(masterSize)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	do(func() { err = fill(a.bytes()) })
	if err != nil {
		a.destroy()
		return nil, err
	}
	return a, nil
}

// drawn makes a random master secret.
func drawn(master []byte) error {
	rand.Read(master)
	return nil
}

// settle gives a newcomer a slot. All derivations are done before the vault is locked.
func (v vault) settle(n newcomer, pw *Password, keep []*Password) (*Identity, error) {
	if len(n.state) > StateLimit {
		return nil, ErrFull
	}
	v.clean()
	salt, first, err := v.saltOrNew()
	if err != nil {
		return nil, err
	}
	keks := make([]*arena, 0, 1+len(keep))
	defer func() {
		for _, k := range keks {
			k.destroy()
		}
	}()
	for _, p := range append([]*Password{pw}, keep...) {
		k, err := v.derive(salt, p)
		if err != nil {
			return nil, err
		}
		keks = append(keks, k)
	}
	defer collect()
	return v.place(n, salt, first, keks[0], keks[1:])
}

// saltOrNew returns the salt of the vault; if there is none, that of first, a new one which is
// not on disk yet.
func (v vault) saltOrNew() (salt, first []byte, err error) {
	salt, err = v.read(saltSize)
	if errors.Is(err, ErrNoVault) {
		first = emptyVault()
		return bytes.Clone(first[:saltSize]), first, nil
	}
	return salt, nil, err
}

// place writes a newcomer into a random slot that none of keep opens and returns the identity.
func (v vault) place(n newcomer, salt, first []byte, kek *arena, keep []*arena) (*Identity,
	error) {
	var id *Identity
	err := v.begin(first, func(file []byte) error {
		if !bytes.Equal(salt, file[:saltSize]) {
			return ErrChanged
		}
		slot, err := freeSlot(bytes.NewReader(file), kek, keep)
		if err != nil {
			return err
		}
		do(func() { n.seal(slotOf(file, slot), kek.bytes(), slot) })
		id, err = v.unlock(bytes.NewReader(file), salt, kek)
		return err
	})
	if err != nil && id != nil {
		id.Lock()
	}
	if err != nil {
		return nil, err
	}
	return id, nil
}

// freeSlot draws a slot for kek among those that no kek of keep opens.
func freeSlot(file io.ReaderAt, kek *arena, keep []*arena) (int, error) {
	if slot, err := slotFor(file, kek); err != nil || slot >= 0 {
		return 0, cmp.Or(err, ErrExists)
	}
	var kept [Slots]bool
	for _, k := range keep {
		slot, err := slotFor(file, k)
		if err != nil || slot < 0 {
			return 0, cmp.Or(err, ErrPassword)
		}
		kept[slot] = true
	}
	var free []int
	for i, k := range kept {
		if !k {
			free = append(free, i)
		}
	}
	if len(free) == 0 {
		return 0, ErrFull
	}
	return free[draw(len(free))], nil
}

// draw returns a uniform random number below n, which is at most 256.
func draw(n int) int {
	var b [1]byte
	for {
		rand.Read(b[:])
		if int(b[0]) < 256-256%n {
			return int(b[0]) % n
		}
	}
}

// seal fills a slot with a newcomer. Call inside do.
func (n newcomer) seal(dst, kek []byte, slot int) {
	key, plain := make([]byte, keySize), make([]byte, plainSize)
	slotKey(key, kek, slot)
	payload{n.master.bytes(), n.state}.encode(plain)
	sealSlot(dst, key, slot, newNonce(), plain)
	clear(key)
	clear(plain)
}
