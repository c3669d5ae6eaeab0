// The outer layer: what makes a handshake look like noise, and lets the responder find the caller
// among its contacts, or nobody, before any costly step.

package handshake

import (
	"bytes"
	"time"

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

// sealOuter pads a Noise message with zeros and seals it under a random nonce.
func sealOuter(key [32]byte, message []byte, from chance) []byte {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic("handshake: outer key: " + err.Error())
	}
	wire := make([]byte, nonceSize, Size)
	from.fill(wire)
	plain := make([]byte, plainSize)
	copy(plain, message)
	return aead.Seal(wire, wire, plain, nil)
}

// openOuter returns the Noise message of n bytes under the outer layer, or false. It uses dst if
// that has capacity.
func openOuter(dst []byte, key [32]byte, wire []byte, n int) ([]byte, bool) {
	if len(wire) != Size {
		return nil, false
	}
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, false
	}
	plain, err := aead.Open(dst[:0], wire[:nonceSize], wire[nonceSize:], nil)
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

// A found is a first message with all that finding its sender gave.
type found struct {
	link
	peer    Peer
	root    deriver
	key     [32]byte // outer key that it opened with
	message []byte   // Noise message 1
}

// find tries every peer in three epochs; nil when none has sealed the message. The work is the
// same whoever called, or nobody.
func find(self [32]byte, peers []Peer, epoch uint64, wire []byte) (f *found) {
	room := make([]byte, plainSize)
	for i := range peers[:min(len(peers), MaxPeers)] {
		root := deriver(peers[i].Root)
		for e := epoch - 1; e != epoch+2; e++ {
			l := link{e, peers[i].Static, self}
			key := l.first(&root)
			if message, ok := openOuter(room, key, wire, RenewSize); ok {
				f = &found{l, peers[i], root, key, bytes.Clone(message)}
			}
		}
	}
	return f
}
