// An identity as one sealed file, for a second device or a backup.
//
//	0       32      salt
//	32      24      nonce
//	56      262104  the payload, as in a slot, encrypted
//	262160  16      tag
//
// The key is HKDF of Argon2id(password, salt). Every export has this size and looks random.

package keystore

import (
	"bytes"
	"crypto/rand"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

var (
	// ErrExport says that an export does not open: its password is wrong, or it was damaged.
	ErrExport = errors.New("the export does not open with this password")
	// ErrNotExport says that the bytes have not the size of an export.
	ErrNotExport = errors.New("not an export: it has not the size of one")
)

const (
	exportID   = "nightjar export v1"
	exportSize = saltSize + slotSize
)

// Export returns the identity, keys and state as it was last saved, sealed under a password of
// its own. The state that is kept in two places goes its own way in each: use one at a time.
func (id *Identity) Export(pw *Password) ([]byte, error) {
	out := make([]byte, exportSize)
	rand.Read(out[:saltSize+nonceSize])
	kek, err := id.vault.derive(out[:saltSize], pw)
	if err != nil {
		return nil, err
	}
	defer kek.destroy()
	defer collect()
	err = id.with(func(k keys) error {
		plain := make([]byte, plainSize)
		if openSlot(plain, k.slot, id.slot, id.sealed) {
			sealExport(out, kek.bytes(), plain)
		}
		clear(plain)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// exportKey writes the key of an export. Call inside do.
func exportKey(dst, kek []byte) { expand(dst, kek, exportID+" key") }

// sealExport seals plain (of plainSize) after the salt and the nonce that dst begins with. Call
// inside do.
func sealExport(dst, kek, plain []byte) {
	key := make([]byte, keySize)
	exportKey(key, kek)
	a, err := chacha20poly1305.NewX(key)
	if err != nil || len(plain) != plainSize || len(dst) != exportSize {
		panic("keystore: export of a wrong size")
	}
	head := dst[:saltSize+nonceSize]
	a.Seal(head, head[saltSize:], plain, []byte(exportID))
	clear(key)
}

// unsealExport writes the plain bytes of an export into dst (of plainSize) and reports whether
// kek opens it. Call inside do.
func unsealExport(dst, kek, sealed []byte) bool {
	key := make([]byte, keySize)
	exportKey(key, kek)
	a, err := chacha20poly1305.NewX(key)
	if err != nil || len(sealed) != exportSize || len(dst) != plainSize {
		panic("keystore: export of a wrong size")
	}
	body := sealed[saltSize:]
	_, err = a.Open(dst[:0], body[:nonceSize], body[nonceSize:], []byte(exportID))
	clear(key)
	return err == nil
}

// CheckExport returns ErrNotExport for bytes that no password opens, since they have not the size.
func CheckExport(sealed []byte) error {
	if len(sealed) != exportSize {
		return ErrNotExport
	}
	return nil
}

// openExport returns what an export holds. The caller destroys the one and clears the other.
func openExport(c cost, sealed []byte, its *Password) (n newcomer, err error) {
	if err := CheckExport(sealed); err != nil {
		return n, err
	}
	kek, err := vault{cost: c}.derive(sealed[:saltSize], its)
	if err != nil {
		return n, err
	}
	defer kek.destroy()
	defer collect()
	n.master, err = newMaster(func(master []byte) error {
		plain := make([]byte, plainSize)
		defer clear(plain)
		if !unsealExport(plain, kek.bytes(), sealed) {
			return ErrExport
		}
		p, ok := decodePayload(plain)
		if !ok {
			return ErrExport
		}
		copy(master, p.master)
		n.state = bytes.Clone(p.state)
		return nil
	})
	return n, err
}
