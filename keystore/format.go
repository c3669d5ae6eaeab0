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

	keySize  = 32
	lenSize  = 4
	headSize = lenSize + 2*keySize // length, identity seed, root secret
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

// slotKey writes the key of slot i: HKDF-SHA256 (RFC 5869) of the kek, no salt. Call inside do.
func slotKey(dst, kek []byte, i int) {
	k, err := hkdf.Key(sha256.New, kek, nil, slotLabel+string([]byte{byte(i)}), keySize)
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

// find tries every slot of a vault with the slot keys of kek and returns the number of the one
// that opens, its plain bytes and its key; or -1, and zeros. Call inside do, and clear what it
// returns.
//
// The time tells neither whether one opens, nor which, nor how many are in use: all slots are
// tried; a slot that opens costs a wiped buffer, as one that does not open does in the library;
// and all memory is touched first, so that no page is new to one outcome only.
func find(kek []byte, file io.ReaderAt) (slot int, plain, key []byte, err error) {
	slot, plain, key = -1, make([]byte, plainSize), make([]byte, keySize)
	sealed, out, trial := make([]byte, slotSize), make([]byte, plainSize), make([]byte, keySize)
	clear(plain)
	clear(out)
	for i := range Slots {
		if err := readSlot(sealed, file, i); err != nil {
			return -1, plain, key, err
		}
		slotKey(trial, kek, i)
		if openSlot(out, trial, i, sealed) {
			slot, plain, out, key, trial = i, out, plain, trial, key
			clear(out)
		}
	}
	clear(trial)
	return slot, plain, key, nil
}

// payload is what a slot holds. Its slices point into the plain bytes it was decoded from.
type payload struct {
	seed, root []byte // keySize each
	state      []byte
}

// encode fills plain (of plainSize): length of the state, seed, root, state, zeros.
func (p payload) encode(plain []byte) {
	if len(p.seed) != keySize || len(p.root) != keySize || len(p.state) > StateLimit {
		panic("keystore: payload of a wrong size")
	}
	binary.BigEndian.PutUint32(plain, uint32(len(p.state)))
	copy(plain[lenSize:], p.seed)
	copy(plain[lenSize+keySize:], p.root)
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
	return payload{
		seed:  plain[lenSize:][:keySize],
		root:  plain[lenSize+keySize:][:keySize],
		state: state,
	}, pad == 0
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
