// Package knock carries the two messages of a handshake over datagrams: each is cut in two pieces
// that only the two contacts can tell from noise. It is pure: no carrier, no clock of its own, no
// goroutine. Who is no contact finds nobody, at little cost and before any Diffie-Hellman.
//
// A piece is 1024 bytes, one of the sizes of packets, and random-looking throughout:
//
//	0      16  seed, random
//	16      8  mark (package mark)
//	24    984  sealed (XChaCha20-Poly1305, nonce = the 24 bytes above): message 8 |
//	           index 1 | 747 bytes of the handshake message | zeros
//	1008   16  tag
//
// message is the first 8 bytes of the handshake message, which are random; index is 0 or 1. By the
// mark the receiver passes over what is not for it.
package knock

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"nightjar/tunnel/handshake"
	"nightjar/tunnel/mark"
	"nightjar/tunnel/record"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	// PieceSize is a piece on the wire, in bytes.
	PieceSize = 1024

	nonceSize = chacha20poly1305.NonceSizeX // a seed and its mark
	plainSize = PieceSize - nonceSize - chacha20poly1305.Overhead
	share     = handshake.Size / 2
	header    = 8 + 1
)

// The info texts of the keys; HKDF-Expand-SHA256 of the pair's Root.
const (
	labelMark   = "nightjar tunnel 2 piece mark"  // | epoch 8 | initiator 32 | responder 32
	labelSeal   = "nightjar tunnel 2 piece seal"  // | the same
	labelMarked = "nightjar tunnel 2 answer mark" // | the same | nonce of the first message 24
	labelSealed = "nightjar tunnel 2 answer seal" // | the same
)

// A Lock is what one message's pieces are under: whoever has it can make and find them.
type Lock struct {
	mark mark.Key
	seal [32]byte
}

// A Way is one direction of asking between two contacts in one epoch.
type Way struct {
	Root                 [32]byte
	Epoch                uint64
	Initiator, Responder [32]byte
}

// First is the lock of first messages.
func (w Way) First() Lock { return Lock{w.Mark(), w.derive(labelSeal, nil)} }

// Mark is what finds the pieces of first messages.
func (w Way) Mark() mark.Key { return mark.NewKey(w.derive(labelMark, nil)) }

// Answer is the lock of the answer to one first message.
func (w Way) Answer(first []byte) Lock {
	nonce := first[:nonceSize]
	return Lock{mark.NewKey(w.derive(labelMarked, nonce)), w.derive(labelSealed, nonce)}
}

// derive is one of the keys between the two.
func (w Way) derive(label string, more []byte) (key [32]byte) {
	record.Erasing(func() {
		info := binary.BigEndian.AppendUint64([]byte(label), w.Epoch)
		info = append(append(append(info, w.Initiator[:]...), w.Responder[:]...), more...)
		b, err := hkdf.Expand(sha256.New, w.Root[:], string(info), len(key))
		if err != nil {
			panic("knock: hkdf: " + err.Error()) // of FIPS mode only
		}
		copy(key[:], b)
	})
	return key
}

// Cut makes the pieces of a handshake message, handshake.Size bytes. Cut again, they are other
// bytes, but go together with those cut before.
func (l Lock) Cut(message []byte) [][]byte {
	return l.cut(message, func(b []byte) { rand.Read(b) })
}

func (l Lock) cut(message []byte, fill func([]byte)) (pieces [][]byte) {
	record.Erasing(func() {
		aead, err := chacha20poly1305.NewX(l.seal[:])
		if err != nil {
			panic("knock: key: " + err.Error())
		}
		for i := range 2 {
			wire := make([]byte, nonceSize, PieceSize)
			fill(wire[:mark.SeedSize])
			l.mark.Sign(wire)
			plain := make([]byte, plainSize)
			copy(plain, message[:8])
			plain[8] = byte(i)
			copy(plain[header:], message[i*share:][:share])
			pieces = append(pieces, aead.Seal(wire, wire, plain, nil))
		}
	})
	return pieces
}

// A Piece is half of a handshake message.
type Piece struct {
	Message [8]byte
	Index   int
	Body    []byte
}

// Marks reports whether wire bears the lock's mark: anything else is not under it.
func (l Lock) Marks(wire []byte) bool {
	return len(wire) == PieceSize && l.mark.Signed(wire)
}

// Open opens a piece that is under the lock. It is total.
func (l Lock) Open(wire []byte) (p Piece, ok bool) {
	record.Erasing(func() {
		if !l.Marks(wire) {
			return
		}
		aead, err := chacha20poly1305.NewX(l.seal[:])
		if err != nil {
			return
		}
		plain, err := aead.Open(nil, wire[:nonceSize], wire[nonceSize:], nil)
		if err == nil {
			p, ok = parse(plain)
		}
	})
	return p, ok
}

// parse reads what a piece holds.
func parse(plain []byte) (p Piece, ok bool) {
	if len(plain) != plainSize || plain[8] > 1 ||
		!bytes.Equal(plain[header+share:], make([]byte, plainSize-header-share)) {
		return p, false
	}
	return Piece{[8]byte(plain), int(plain[8]), plain[header:][:share]}, true
}
