// Package keystore keeps identities in a vault: one file, several identities, each opened by a
// password of its own. Nobody who holds the file can tell how many there are, and an identity
// that is locked leaves no key in memory.
//
// It hands out handles that act (sign, agree, derive, save); private keys never leave it. It
// knows nothing of what an identity's state means, of contacts, or of networks.
//
// A vault, every byte random or indistinguishable from it, always of one size:
//
//	0        32      salt
//	32       262144  slot 0
//	...              slots 1 to 14
//	3932192  262144  slot 15
//
// A slot: nonce 24, then XChaCha20-Poly1305 of the payload (262104), tag 16. The payload:
// length of the state 4 (big endian), master secret 16, state, zeros. All keys of an identity
// follow from its master secret. The key of a slot is HKDF of Argon2id(password, salt); the
// format and the slot's number are in the associated data. docs/vault.md has every byte and
// vectors to check them against.
package keystore

import (
	"errors"
	"fmt"
	"io"
	"runtime"
)

var (
	// ErrNoVault says that there is no file at the path.
	ErrNoVault = errors.New("there is no vault")
	// ErrPassword says that no slot opens: the password is wrong, or nothing was ever kept under
	// it, or its slot was overwritten or damaged. These cannot be told apart, by design.
	ErrPassword = errors.New("no identity opens with this password")
	// ErrDamaged says that the file cannot be a vault: it is not a file, or of another size.
	ErrDamaged = errors.New("the vault is damaged: it has not the size of a vault")
	// ErrExists says that the password opens an identity of this vault already.
	ErrExists = errors.New("this password opens an identity already")
	// ErrFull says that the state is larger than StateLimit, or that every slot is kept.
	ErrFull = errors.New("no room in the vault")
	// ErrLocked says that the identity was locked, or the password destroyed.
	ErrLocked = errors.New("the identity is locked")
	// ErrChanged says that something else rewrote this identity's slot since it was opened:
	// another program with the same identity, or one that took the slot. Nothing was written.
	ErrChanged = errors.New("the vault was changed by another program")
)

// Open opens the identity that pw opens. It returns ErrNoVault, ErrDamaged, ErrPassword, or an
// error of the file system. The same work is done whatever the outcome. It also removes what a
// crash during a save left beside the vault.
func Open(path string, pw *Password) (*Identity, error) {
	return at(path, standard()).open(pw)
}

func (v vault) open(pw *Password) (*Identity, error) {
	v.clean()
	f, err := v.openFile()
	if err != nil {
		return nil, err
	}
	var spare *arena
	defer func() { collect(spare) }() // last of all: it must not run into the rest
	defer f.Close()
	salt := make([]byte, saltSize)
	if _, err := f.ReadAt(salt, 0); err != nil {
		return nil, fmt.Errorf("read vault: %w", bare(err))
	}
	kek, err := v.derive(salt, pw)
	if err != nil {
		return nil, err
	}
	defer kek.destroy()
	id, spare, err := v.try(f, salt, kek)
	return id, err
}

// derive returns the kek of a password in an arena of its own.
func (v vault) derive(salt []byte, pw *Password) (*arena, error) {
	if pw == nil || len(pw.a.bytes()) == 0 {
		return nil, ErrLocked
	}
	k, err := newArena(keySize)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	do(func() { v.cost.kek(k.bytes(), pw.a.bytes(), salt) })
	return k, nil
}

// collect begins to erase what a derivation and its use left on the heap: 256 MiB, which takes
// longer than all the rest of opening, so nobody waits. It ends by itself within milliseconds;
// Lock, which collects as well, returns after it. Arenas that are spare go first.
func collect(spare ...*arena) {
	go func() {
		for _, a := range spare {
			a.destroy()
		}
		runtime.GC()
	}()
}

// unlock returns the identity that kek opens, or ErrPassword.
func (v vault) unlock(file io.ReaderAt, salt []byte, kek *arena) (*Identity, error) {
	id, spare, err := v.try(file, salt, kek)
	spare.destroy()
	return id, err
}

// try is unlock, and takes one time whatever comes of it: if none opens it makes an identity of
// zeros all the same, of which the arena is then spare. To give that back takes time as well, so
// it is left to the caller.
func (v vault) try(file io.ReaderAt, salt []byte, kek *arena) (id *Identity, spare *arena,
	err error) {
	a, err := newArena(keysSize)
	if err != nil {
		return nil, nil, fmt.Errorf("open identity: %w", err)
	}
	var f found
	ok := false
	do(func() {
		f, err = find(kek.bytes(), file)
		var p payload
		if p, ok = decodePayload(f.plain); ok {
			keysOf(a).fill(p.master, f.key)
		}
		clear(f.plain)
		clear(f.key)
	})
	id = newIdentity(v, salt, f.slot, f.sealed, a)
	switch {
	case err != nil:
		return nil, a, fmt.Errorf("read vault: %w", bare(err))
	case !ok || f.slot < 0:
		return nil, a, ErrPassword
	}
	return id, nil, nil
}

// slotFor returns the number of the slot that a kek opens, or -1.
func slotFor(file io.ReaderAt, kek *arena) (slot int, err error) {
	do(func() {
		var f found
		f, err = find(kek.bytes(), file)
		slot = f.slot
		clear(f.plain)
		clear(f.key)
	})
	if err != nil {
		return -1, fmt.Errorf("read vault: %w", bare(err))
	}
	return slot, nil
}
