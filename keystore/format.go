// The layout of a vault, pure: key derivation, slots, and the payload inside a slot.

package keystore

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"nightjar/keystore/words"
)

// Slots is the number of slots of every vault, used or not. A new identity takes one at random
// among those that no kept password opens; with k identities unknown to the caller the chance
// of overwriting one of them is k in (Slots less the kept ones).
const Slots = 16

// StateLimit is the largest state an identity can hold, in bytes.
const StateLimit = plainSize - headSize

const (
	formatID  = "nightjar vault v1"
	slotLabel = formatID + " slot"

	saltSize  = 32
	slotSize  = 256 << 10
	fileSize  = saltSize + Slots*slotSize
	nonceSize = chacha20poly1305.NonceSizeX
	plainSize = slotSize - nonceSize - chacha20poly1305.Overhead

	keySize    = 32
	masterSize = words.SecretSize
	lenSize    = 4
	headSize   = lenSize + masterSize

	seedLabel = "nightjar identity seed v1"
	rootLabel = "nightjar identity root v1"
)

// cost is what one derivation costs. It is fixed by the format version: a parameter in the file
// would tell vaults apart.
type cost struct {
	passes, memory uint32 // memory in KiB
	lanes          uint8
}

// standard is the only cost of a real vault: Argon2id, 256 MiB, 3 passes, 4 lanes.
func standard() cost { return cost{passes: 3, memory: 256 << 10, lanes: 4} }

// kek writes the key that a password and a salt give (RFC 9106). Call it inside do.
func (c cost) kek(dst, password, salt []byte) {
	k := argon2.IDKey(password, salt, c.passes, c.memory, c.lanes, keySize)
	copy(dst, k)
	clear(k)
}

// slotKey writes the key of slot i. Call inside do.
func slotKey(dst, kek []byte, i int) { expand(dst, kek, slotLabel+string([]byte{byte(i)})) }

// expand writes 32 bytes of HKDF-SHA256 (RFC 5869) of a secret, no salt. Call inside do.
func expand(dst, secret []byte, info string) {
	k, err := hkdf.Key(sha256.New, secret, nil, info, keySize)
	if err != nil {
		panic("keystore: " + err.Error()) // only for lengths that cannot occur
	}
	copy(dst, k)
	clear(k)
}

// slotOf returns slot i of a whole vault.
func slotOf(file []byte, i int) []byte {
	return file[saltSize+i*slotSize:][:slotSize:slotSize]
}

// slotAD is the associated data of slot i: the format and the place, so that no slot opens in
// another place or under another format.
func slotAD(i int) []byte { return append([]byte(formatID), byte(i)) }

// sealSlot writes slot i: nonce, then plain (of plainSize) sealed under key. Call inside do.
func sealSlot(dst, key []byte, i int, nonce [nonceSize]byte, plain []byte) {
	a, err := chacha20poly1305.NewX(key)
	if err != nil || len(plain) != plainSize || len(dst) != slotSize {
		panic("keystore: slot of a wrong size")
	}
	copy(dst, nonce[:])
	a.Seal(dst[:nonceSize], nonce[:], plain, slotAD(i))
}

// openSlot writes the plain bytes of slot i into dst (of plainSize) and reports whether key
// opens it. Call inside do.
func openSlot(dst, key []byte, i int, slot []byte) bool {
	a, err := chacha20poly1305.NewX(key)
	if err != nil || len(slot) != slotSize || len(dst) != plainSize {
		panic("keystore: slot of a wrong size")
	}
	_, err = a.Open(dst[:0], slot[:nonceSize], slot[nonceSize:], slotAD(i))
	return err == nil
}

// readSlot reads slot i of a vault.
func readSlot(dst []byte, file io.ReaderAt, i int) error {
	_, err := file.ReadAt(dst, int64(saltSize+i*slotSize))
	return err
}

// found is the slot that a kek opens: its number, what is in it, its key, and its own bytes; or
// -1, and zeros. Clear plain and key after use.
type found struct {
	slot               int
	plain, key, sealed []byte
}

// find tries every slot of a vault with the slot keys of kek. Call inside do.
//
// The time tells neither whether one opens, nor which, nor how many are in use: all slots are
// tried; a slot that opens costs a wiped buffer, as one that does not open does in the library;
// and all memory is touched first, so that no page is new to one outcome only.
func find(kek []byte, file io.ReaderAt) (f found, err error) {
	trial := func(i int) found {
		t := found{i, make([]byte, plainSize), make([]byte, keySize), make([]byte, slotSize)}
		clear(t.plain)
		clear(t.sealed)
		return t
	}
	f, next := trial(-1), trial(0)
	for i := range Slots {
		if err := readSlot(next.sealed, file, i); err != nil {
			return f, err
		}
		slotKey(next.key, kek, i)
		if openSlot(next.plain, next.key, i, next.sealed) {
			f, next = next, f
			f.slot = i
			clear(next.plain)
		}
	}
	clear(next.key)
	return f, nil
}

// payload is what a slot holds. Its slices point into the plain bytes it was decoded from.
type payload struct {
	master []byte // masterSize
	state  []byte
}

// encode fills plain (of plainSize): length of the state, master secret, state, zeros.
func (p payload) encode(plain []byte) {
	if len(p.master) != masterSize || len(p.state) > StateLimit {
		panic("keystore: payload of a wrong size")
	}
	binary.BigEndian.PutUint32(plain, uint32(len(p.state)))
	copy(plain[lenSize:], p.master)
	clear(plain[headSize+copy(plain[headSize:], p.state):])
}

// decodePayload reads what encode wrote and refuses everything else.
func decodePayload(plain []byte) (payload, bool) {
	if len(plain) != plainSize {
		return payload{}, false
	}
	n := binary.BigEndian.Uint32(plain)
	if n > StateLimit {
		return payload{}, false
	}
	state, rest := plain[headSize:headSize+n], plain[headSize+n:]
	var pad byte
	for _, b := range rest {
		pad |= b
	}
	return payload{master: plain[lenSize:][:masterSize], state: state}, pad == 0
}

// emptyVault returns a vault in which no slot is used: random bytes from end to end.
func emptyVault() []byte {
	file := make([]byte, fileSize)
	rand.Read(file)
	return file
}

// newNonce returns a random nonce; at 24 bytes it never repeats.
func newNonce() (n [nonceSize]byte) {
	rand.Read(n[:])
	return n
}
