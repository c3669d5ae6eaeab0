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
// length of the state 4 (big endian), identity seed 32, root secret 32, state, zeros. The key
// of a slot is HKDF of Argon2id(password, salt); the format and the slot's number are in the
// associated data. docs/vault.md has every byte and vectors to check them against.
package keystore

import (
	"bytes"
	"cmp"
	"crypto/rand"
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

// Create makes a new identity that pw opens, in a slot drawn at random, with an empty state;
// and the vault itself if there is none. It returns ErrExists if pw opens one already.
//
// A used slot looks like an unused one, so the draw can hit an identity that is not open and
// destroy it (see Slots for the chance). The slots of the keep passwords are never drawn; a
// keep password that opens nothing is ErrPassword, and nothing is written. Each password costs
// one derivation, about half a second.
func Create(path string, pw *Password, keep ...*Password) (*Identity, error) {
	return at(path, standard()).createIdentity(pw, keep)
}

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
	defer collect()
	return v.unlock(f, salt, kek)
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
// Lock, which collects as well, returns after it.
func collect() { go runtime.GC() }

// unlock returns the identity that kek opens, or ErrPassword. If none opens it makes one of
// zeros all the same and throws it away, so that both take as long.
func (v vault) unlock(file io.ReaderAt, salt []byte, kek *arena) (*Identity, error) {
	a, err := newArena(keysSize)
	if err != nil {
		return nil, fmt.Errorf("open identity: %w", err)
	}
	slot, ok, sealed := -1, false, make([]byte, slotSize)
	do(func() {
		var plain, key []byte
		if slot, plain, key, err = find(kek.bytes(), file); err == nil {
			err = readSlot(sealed, file, max(slot, 0))
		}
		var p payload
		if p, ok = decodePayload(plain); ok {
			keysOf(a).fill(p.seed, p.root, key)
		}
		clear(plain)
		clear(key)
	})
	id := newIdentity(v, salt, slot, sealed, a)
	if err == nil && ok && slot >= 0 {
		return id, nil
	}
	a.destroy()
	if err != nil {
		return nil, fmt.Errorf("read vault: %w", bare(err))
	}
	return nil, ErrPassword
}

// slotFor returns the number of the slot that a kek opens, or -1.
func slotFor(file io.ReaderAt, kek *arena) (slot int, err error) {
	do(func() {
		var plain, key []byte
		slot, plain, key, err = find(kek.bytes(), file)
		clear(plain)
		clear(key)
	})
	if err != nil {
		return -1, fmt.Errorf("read vault: %w", bare(err))
	}
	return slot, nil
}

func (v vault) createIdentity(pw *Password, keep []*Password) (*Identity, error) {
	if err := v.create(); err != nil {
		return nil, err
	}
	v.clean()
	salt, err := v.read(saltSize)
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
	return v.place(salt, keks[0], keks[1:])
}

// place writes a new identity into a random slot that none of keep opens and returns it. The
// derivations are done, so the vault is locked only for the choice and the write.
func (v vault) place(salt []byte, kek *arena, keep []*arena) (*Identity, error) {
	var id *Identity
	err := v.update(func(file []byte) error {
		if !bytes.Equal(salt, file[:saltSize]) {
			return ErrChanged
		}
		slot, err := freeSlot(bytes.NewReader(file), kek, keep)
		if err != nil {
			return err
		}
		do(func() { sealNew(slotOf(file, slot), kek.bytes(), slot) })
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

// sealNew fills a slot with a new identity: fresh seed and root, empty state. Call inside do.
func sealNew(dst, kek []byte, slot int) {
	secrets, key, plain := make([]byte, 2*keySize), make([]byte, keySize), make([]byte, plainSize)
	rand.Read(secrets)
	slotKey(key, kek, slot)
	payload{seed: secrets[:keySize], root: secrets[keySize:]}.encode(plain)
	sealSlot(dst, key, slot, newNonce(), plain)
	clear(secrets)
	clear(key)
	clear(plain)
}
