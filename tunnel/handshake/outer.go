// The outer layer: what makes a handshake look like noise, and lets the responder find the caller
// among its contacts, or nobody, before any costly step. Who that is, is found in callers.go.

package handshake

import (
	"time"

	"nightjar/tunnel/mark"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	nonceSize = chacha20poly1305.NonceSizeX
	plainSize = Size - nonceSize - chacha20poly1305.Overhead

	epochSeconds = 6 * 60 * 60
)

// MaxPeers is how many contacts Answer tries; further ones are not looked at.
const MaxPeers = 1024

// Epoch is the number of the six-hour span that t lies in. Messages of the neighbouring epochs are
// taken as well, so clocks may differ by six hours; no finer time crosses, because the error of a
// clock would link the pseudonyms that share it.
func Epoch(t time.Time) uint64 { return uint64(t.Unix() / epochSeconds) }

// sealFirst seals Noise message 1. Its nonce ends in the mark by which the receiver finds l.
func (l link) sealFirst(root *deriver, message []byte, from chance) []byte {
	wire := make([]byte, nonceSize, Size)
	from.fill(wire[:mark.SeedSize])
	l.mark(root).Sign(wire)
	return sealOuter(l.first(root), wire, message)
}

// sealAnswer seals Noise message 2, the answer to first.
func (l link) sealAnswer(root *deriver, first, message []byte, from chance) []byte {
	wire := make([]byte, nonceSize, Size)
	from.fill(wire)
	return sealOuter(l.answer(root, first), wire, message)
}

// sealOuter pads a Noise message with zeros and seals it behind its nonce.
func sealOuter(key [32]byte, nonce, message []byte) []byte {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic("handshake: outer key: " + err.Error())
	}
	plain := make([]byte, plainSize)
	copy(plain, message)
	return aead.Seal(nonce, nonce, plain, nil)
}

// openOuter returns the Noise message of n bytes under the outer layer, or false.
func openOuter(key [32]byte, wire []byte, n int) ([]byte, bool) {
	if len(wire) != Size {
		return nil, false
	}
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, false
	}
	plain, err := aead.Open(nil, wire[:nonceSize], wire[nonceSize:], nil)
	if err != nil {
		return nil, false
	}
	for _, b := range plain[n:] {
		if b != 0 {
			return nil, false
		}
	}
	return plain[:n], true
}
