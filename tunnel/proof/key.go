// Package proof is what the tests of the tunnel's rooms share: static keys in the clear, and test
// vectors. Nothing but tests imports it.
package proof

import (
	"crypto/ecdh"
	"crypto/rand"
	"sync/atomic"
	"testing"
)

// A Key is a static key pair; it counts what it is asked.
type Key struct {
	private *ecdh.PrivateKey
	agreed  atomic.Int64
}

// NewKey draws a key.
func NewKey(t testing.TB) *Key {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &Key{private: k}
}

// KeyOf is the key with a private half of 32 bytes.
func KeyOf(t testing.TB, private []byte) *Key {
	k, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return &Key{private: k}
}

// AgreementKey is the public key.
func (k *Key) AgreementKey() [32]byte { return [32]byte(k.private.PublicKey().Bytes()) }

// Agree is X25519 (RFC 7748) with another's public key.
func (k *Key) Agree(peer [32]byte) (shared [32]byte, err error) {
	k.agreed.Add(1)
	point, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return shared, err
	}
	b, err := k.private.ECDH(point)
	copy(shared[:], b)
	return shared, err
}

// Agreed is how often Agree was called.
func (k *Key) Agreed() int64 { return k.agreed.Load() }
