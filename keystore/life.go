// The life of an open identity: its state, saving it, a new password, burning, locking.

package keystore

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"runtime"
	"runtime/debug"
)

// State returns a copy of the state as it was last saved; nil after Lock, empty but not nil for
// a new identity. The caller clears it.
func (id *Identity) State() (state []byte) {
	_ = id.with(func(k keys) error {
		plain := make([]byte, plainSize)
		if openSlot(plain, k.slot, id.slot, id.sealed) {
			p, _ := decodePayload(plain)
			state = append(make([]byte, 0, len(p.state)), p.state...)
		}
		clear(plain)
		return nil
	})
	return state
}

// Save replaces the state. When it returns nil the state is on disk; after any error the disk
// holds either the old state or the new one. It returns ErrFull for more than StateLimit bytes,
// and ErrChanged, having written nothing, if the slot is not the one this identity wrote last.
// A slot that was damaged since, but not rewritten, is healed. Cost: one vault written whole.
// For an identity that is in memory only, read memory for disk.
func (id *Identity) Save(state []byte) error {
	if len(state) > StateLimit {
		return ErrFull
	}
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.keys == nil {
		return ErrLocked
	}
	next := make([]byte, slotSize)
	do(func() { keysOf(id.keys).seal(next, id.slot, state) })
	return id.replace(next)
}

// seal writes a slot that holds the keys' own master secret and this state. Call inside do.
func (k keys) seal(dst []byte, slot int, state []byte) {
	plain := make([]byte, plainSize)
	payload{k.master, state}.encode(plain)
	sealSlot(dst, k.slot, slot, newNonce(), plain)
	clear(plain)
}

// replace writes the slot if it is still ours: begun by the nonce of our last write, done or
// not. The caller holds id.mu.
func (id *Identity) replace(next []byte) error {
	if id.vault.volatile {
		id.sealed = next
		return nil
	}
	err := id.vault.update(func(file []byte) error {
		slot := slotOf(file, id.slot)
		nonce := [nonceSize]byte(slot)
		if !bytes.Equal(file[:saltSize], id.salt[:]) ||
			nonce != [nonceSize]byte(id.sealed) && nonce != id.tried {
			return ErrChanged
		}
		id.tried = [nonceSize]byte(next)
		copy(slot, next)
		return nil
	})
	if err == nil {
		id.sealed = next
	}
	return err
}

// ChangePassword makes pw open the identity in the place of its present password. It returns
// ErrExists if pw opens an identity of this vault already, this one included; ErrNoVault for an
// identity that is in memory only, whose state no password seals. Copies of the
// vault made before still open with the old password. After an error of the write the disk
// holds either; the next Save settles for the old one.
func (id *Identity) ChangePassword(pw *Password) error {
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.keys == nil {
		return ErrLocked
	}
	if id.vault.volatile {
		return ErrNoVault
	}
	kek, err := id.vault.derive(id.salt[:], pw)
	if err != nil {
		return err
	}
	defer kek.destroy()
	defer collect()
	file, err := id.vault.read(fileSize)
	if err != nil {
		return err
	}
	slot, err := slotFor(bytes.NewReader(file), kek)
	if err != nil || slot >= 0 {
		return cmp.Or(err, ErrExists)
	}
	return id.rekey(kek)
}

// rekey seals the slot under the slot key of kek, in a new arena that replaces the old one.
func (id *Identity) rekey(kek *arena) error {
	fresh, err := newArena(keysSize)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	next := make([]byte, slotSize)
	do(func() {
		old, k := keysOf(id.keys), keysOf(fresh)
		copy(fresh.bytes(), id.keys.bytes())
		slotKey(k.slot, kek.bytes(), id.slot)
		plain := make([]byte, plainSize)
		if openSlot(plain, old.slot, id.slot, id.sealed) {
			sealSlot(next, k.slot, id.slot, newNonce(), plain)
		}
		clear(plain)
	})
	if err := id.replace(next); err != nil {
		fresh.destroy()
		return err
	}
	id.keys.destroy()
	id.keys = fresh
	return nil
}

// Burn fills the identity's slot with random bytes and locks it: the slot is then as if it had
// never been used. The other slots keep their bytes. After an error nothing is locked. What an
// older copy of the file holds, burning cannot reach.
func (id *Identity) Burn() error {
	id.mu.Lock()
	if id.keys == nil {
		id.mu.Unlock()
		return ErrLocked
	}
	next := make([]byte, slotSize)
	rand.Read(next)
	err := id.replace(next)
	id.mu.Unlock()
	if err == nil {
		id.Lock()
	}
	return err
}

// Lock erases the keys and returns when they are gone, with what the Go heap still held of
// them: calls under way are waited for, later ones return ErrLocked. A second call does nothing.
func (id *Identity) Lock() {
	id.mu.Lock()
	locked := id.keys == nil
	id.keys.destroy()
	id.keys, id.sealed = nil, nil
	id.mu.Unlock()
	if !locked {
		forget()
	}
}

// forget collects what secret work left on the heap, which erases it. One collection is not
// enough: crypto/ed25519 keeps an expanded key in a cache until the cleanup that follows the
// collection of the key itself, and only the next one erases that.
func forget() {
	for range 2 {
		runtime.GC()
		runtime.Gosched()
	}
	debug.FreeOSMemory() // a third collection, and freed pages go back
}
