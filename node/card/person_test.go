// People for the tests: keys from fixed seeds, so that every vector can be made again.

package card

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha512"
	"testing"

	"filippo.io/edwards25519"
)

type person struct {
	priv ed25519.PrivateKey
	key  *ecdh.PrivateKey
}

func newPerson(t testing.TB, seed byte) person {
	t.Helper()
	s := make([]byte, 32)
	for i := range s {
		s[i] = seed
	}
	h := sha512.Sum512(s)
	key, err := ecdh.X25519().NewPrivateKey(h[:32])
	if err != nil {
		t.Fatal(err)
	}
	return person{ed25519.NewKeyFromSeed(s), key}
}

func (p person) address() Address { return Address(p.priv.Public().(ed25519.PublicKey)) }

func (p person) sign(b []byte) ([64]byte, error) { return [64]byte(ed25519.Sign(p.priv, b)), nil }

// agreement is the X25519 form of the address, found the way a sender must find it.
func (p person) agreement(t testing.TB) [32]byte {
	t.Helper()
	a := p.address()
	point, err := new(edwards25519.Point).SetBytes(a[:])
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(point.BytesMontgomery())
}
