// The Noise side: the cipher suite, whose private keys stay out of the library, and the points
// that are refused before it sees them.

package handshake

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"hash"
	"io"

	"github.com/flynn/noise"
)

// A chance is where a handshake takes its randomness. Test vectors put fixed bytes in its place.
type chance struct {
	fill        func([]byte)
	encapsulate func(*mlkem.EncapsulationKey768) (shared, ciphertext []byte)
}

func fresh() chance {
	return chance{
		fill:        func(b []byte) { rand.Read(b) },
		encapsulate: (*mlkem.EncapsulationKey768).Encapsulate,
	}
}

// Read makes a chance an io.Reader for the Noise library.
func (c chance) Read(b []byte) (int, error) {
	c.fill(b)
	return len(b), nil
}

// An agreement is the Diffie-Hellman of one handshake. It keeps the ephemeral key pair itself and
// asks the handle for the static one, so the library holds no private byte: a private key passed
// to DH is only a mark, empty for static and ephemeralMark for ephemeral.
type agreement struct {
	static    Key
	ephemeral *ecdh.PrivateKey
}

const ephemeralMark = "ephemeral"

// GenerateKeypair makes the ephemeral key pair.
func (a *agreement) GenerateKeypair(random io.Reader) (noise.DHKey, error) {
	var seed [32]byte
	defer clear(seed[:])
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return noise.DHKey{}, err
	}
	key, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		return noise.DHKey{}, err
	}
	a.ephemeral = key
	public := key.PublicKey().Bytes()
	return noise.DHKey{Private: []byte(ephemeralMark), Public: public}, nil
}

// DH agrees with a public key by the private key that the mark names.
func (a *agreement) DH(mark, public []byte) ([]byte, error) {
	if len(mark) == 0 {
		shared, err := a.static.Agree([32]byte(public))
		return shared[:], err
	}
	point, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	return a.ephemeral.ECDH(point)
}

// DHLen is the length of a shared secret.
func (*agreement) DHLen() int { return 32 }

// DHName is the name that enters the protocol name.
func (*agreement) DHName() string { return "25519" }

// hashes is BLAKE2s out of a few objects that one handshake uses in turn. Two at most are in use at
// a time, those of one HMAC; the library makes a hundred, and where erasing is on to allocate is
// the larger part of the cost of a handshake.
type hashes struct {
	turn  int
	taken [4]hash.Hash
}

// Hash returns an empty hash.
func (h *hashes) Hash() hash.Hash {
	h.turn = (h.turn + 1) % len(h.taken)
	if h.taken[h.turn] == nil {
		h.taken[h.turn] = noise.HashBLAKE2s.Hash()
	}
	h.taken[h.turn].Reset()
	return h.taken[h.turn]
}

// HashName is the name that enters the protocol name.
func (*hashes) HashName() string { return noise.HashBLAKE2s.HashName() }

// ciphers is ChaCha20-Poly1305, for the same reason out of a few keys that are used in turn: a
// handshake has one cipher at a time, and in the end two. Most are never used.
type ciphers struct {
	turn  int
	taken [4]lazy
}

// Cipher returns the cipher under a key.
func (c *ciphers) Cipher(key [32]byte) noise.Cipher {
	c.turn = (c.turn + 1) % len(c.taken)
	c.taken[c.turn].key = key
	return &c.taken[c.turn]
}

// CipherName is the name that enters the protocol name.
func (*ciphers) CipherName() string { return noise.CipherChaChaPoly.CipherName() }

// A lazy is a cipher that is made when it is used.
type lazy struct{ key [32]byte }

// Encrypt meets noise.Cipher.
func (l *lazy) Encrypt(out []byte, n uint64, ad, plain []byte) []byte {
	return noise.CipherChaChaPoly.Cipher(l.key).Encrypt(out, n, ad, plain)
}

// Decrypt meets noise.Cipher.
func (l *lazy) Decrypt(out []byte, n uint64, ad, sealed []byte) ([]byte, error) {
	return noise.CipherChaChaPoly.Cipher(l.key).Decrypt(out, n, ad, sealed)
}

// state begins a Noise handshake. The pre-shared key is set later, once the KEM has spoken.
func state(k Key, peer, prologue []byte, initiator bool, from chance) (
	*noise.HandshakeState, error) {
	public := k.AgreementKey()
	suite := noise.NewCipherSuite(&agreement{static: k}, new(ciphers), new(hashes))
	return noise.NewHandshakeState(noise.Config{
		CipherSuite:           suite,
		Random:                from,
		Pattern:               noise.HandshakeKK,
		Initiator:             initiator,
		Prologue:              prologue,
		PresharedKeyPlacement: 2,
		StaticKeypair:         noise.DHKey{Public: public[:]},
		PeerStatic:            peer,
	})
}

// lowOrder reports whether an X25519 public key is one of the points of low order, whose shared
// secrets everybody knows. They are refused here because the library, when its Diffie-Hellman
// fails, leaves its state spoilt for the genuine message. The unused top bit is ignored.
func lowOrder(public []byte) bool {
	point := [32]byte(public)
	point[31] &= 0x7f
	for _, bad := range [...][32]byte{
		{},
		{1},
		{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
			0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
			0x5f, 0x49, 0xb8, 0x00},
		{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83,
			0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd,
			0xd0, 0x9f, 0x11, 0x57},
		nearPrime(0xec), // p - 1
		nearPrime(0xed), // p, which is 0
		nearPrime(0xee), // p + 1, which is 1
	} {
		if point == bad {
			return true
		}
	}
	return false
}

// nearPrime is the point whose lowest byte is given and whose others are those of p = 2^255 - 19.
func nearPrime(low byte) (p [32]byte) {
	for i := range p {
		p[i] = 0xff
	}
	p[0], p[31] = low, 0x7f
	return p
}
