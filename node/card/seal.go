// The seal around an invitation: HPKE to the owner's key, with the inbox secret as a second lock.
//
// RFC 9180's mode_psk mixes a PSK by secret = Extract(salt: shared_secret, ikm: psk), so that the
// key is safe as long as one of the two is. The standard library has the base mode only. So the
// base mode exports a secret (export-only AEAD), and the key is
// Expand(Extract(salt: inbox, ikm: exported)): the same shape with both inputs in the same two
// places of HMAC, and so the same promise.

package card

import (
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	encSize   = 32 // DHKEM(X25519) encapsulated key
	plainSize = SealedSize - encSize - chacha20poly1305.Overhead
	hpkeInfo  = "nightjar invitation v1"
)

// seal encrypts plainSize bytes to the X25519 key to.
func seal(to, inbox [32]byte, plaintext []byte) (sealed []byte, err error) {
	do(func() {
		var pub *ecdh.PublicKey
		var recipient hpke.PublicKey
		if pub, err = ecdh.X25519().NewPublicKey(to[:]); err != nil {
			err = ErrAddress
			return
		}
		if recipient, err = hpke.NewDHKEMPublicKey(pub); err != nil {
			err = ErrAddress
			return
		}
		kdf, none := hpke.HKDFSHA256(), hpke.ExportOnly()
		enc, s, e := hpke.NewSender(recipient, kdf, none, []byte(hpkeInfo))
		if e != nil {
			err = ErrAddress
			return
		}
		aead, nonce := lock(s.Export, inbox)
		sealed = aead.Seal(enc, nonce, plaintext, enc)
	})
	return sealed, err
}

// open undoes seal with the key behind key.
func open(sealed []byte, key ecdh.KeyExchanger, inbox [32]byte) (plaintext []byte, err error) {
	if len(sealed) != SealedSize {
		return nil, ErrInvitation
	}
	plaintext = make([]byte, 0, plainSize)
	do(func() {
		enc := sealed[:encSize]
		priv, e := hpke.NewDHKEMPrivateKey(key)
		if e != nil {
			err = ErrInvitation
			return
		}
		kdf, none := hpke.HKDFSHA256(), hpke.ExportOnly()
		r, e := hpke.NewRecipient(enc, priv, kdf, none, []byte(hpkeInfo))
		if e != nil {
			err = ErrInvitation
			return
		}
		aead, nonce := lock(r.Export, inbox)
		if plaintext, e = aead.Open(plaintext, nonce, sealed[encSize:], enc); e != nil {
			err = ErrInvitation
		}
	})
	return plaintext, err
}

// lock makes the AEAD of one invitation. Its nonce may be derived, for its key is used once.
func lock(export func(string, int) ([]byte, error), inbox [32]byte) (cipher.AEAD, []byte) {
	secret, err := export("inbox", 32)
	if err != nil {
		panic(err) // 32 bytes can always be exported
	}
	prk, err := hkdf.Extract(sha256.New, secret, inbox[:])
	if err != nil {
		panic(err)
	}
	const size = chacha20poly1305.KeySize + chacha20poly1305.NonceSize
	okm, err := hkdf.Expand(sha256.New, prk, hpkeInfo, size)
	if err != nil {
		panic(err)
	}
	aead, err := chacha20poly1305.New(okm[:chacha20poly1305.KeySize])
	if err != nil {
		panic(err)
	}
	nonce := append([]byte(nil), okm[chacha20poly1305.KeySize:]...)
	clear(secret)
	clear(prk)
	clear(okm)
	return aead, nonce
}

// OpenInbox returns the inbox secret of a bare address. Everybody who knows the address can derive
// it, so it keeps nobody out: it only lets people meet who were given no card.
func OpenInbox(a Address) [32]byte {
	b, err := hkdf.Key(sha256.New, a[:], nil, "nightjar open inbox v1", 32)
	if err != nil {
		panic(err)
	}
	return [32]byte(b)
}
