// The outer layer: what makes a handshake look like noise, and lets the responder find the caller
// among its contacts, or nobody, before any costly step.

package handshake

import (
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

// find tries every peer in three epochs and returns the link the message came on, its peer and
// the Noise message; or a nil peer. The work is the same whoever called, or nobody.
func find(self [32]byte, peers []Peer, epoch uint64, wire []byte) (at link, p *Peer, m []byte) {
	for i := range peers[:min(len(peers), MaxPeers)] {
		for e := epoch - 1; e != epoch+2; e++ {
			l := link{peers[i].Root, e, peers[i].Static, self}
			if message, ok := openOuter(l.first(), wire, RenewSize); ok {
				at, p, m = l, &peers[i], message
			}
		}
	}
	return at, p, m
}
