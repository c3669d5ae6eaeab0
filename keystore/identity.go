// An identity as a handle that acts: it signs, agrees and derives, and shows no key.

package keystore

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"filippo.io/edwards25519"
)

// ErrKey says that a public key of another party cannot be used: it is no point of the curve,
// or one with which every agreement gives the same result.
var ErrKey = errors.New("not a usable public key")

// deriveLabel begins the info of every derivation from an identity's root.
const deriveLabel = "nightjar derive v1"

// Identity is an open identity. All methods may be called at the same time; after Lock those
// that need a key return ErrLocked.
type Identity struct{ *identity } // a pointer, so that printing by reflection shows an address

type identity struct {
	public, agreement [32]byte
	vault             vault
	salt              [saltSize]byte
	slot              int

	mu     sync.RWMutex
	keys   *arena          // laid out as keys; nil when locked
	sealed []byte          // the slot as it was last read or saved
	tried  [nonceSize]byte // nonce of the last write that was begun, whatever came of it
}

// keys is the layout of an identity's arena.
type keys struct{ seed, root, slot, agree, master []byte }

const keysSize = 4*keySize + masterSize

func keysOf(a *arena) keys {
	b := a.bytes()
	return keys{b[:32], b[32:64], b[64:96], b[96:128], b[128:]}
}

// fill sets the master secret, what follows from it, and the key of the slot. The agreement key
// follows from the seed (RFC 8032, 5.1.5: the lower half of SHA-512 of it; X25519 clamps it
// alike). Call inside do.
func (k keys) fill(master, slot []byte) {
	copy(k.master, master)
	expand(k.seed, master, seedLabel)
	expand(k.root, master, rootLabel)
	copy(k.slot, slot)
	h := sha512.Sum512(k.seed)
	copy(k.agree, h[:32])
	clear(h[:])
}

// newIdentity takes over an arena that is filled.
func newIdentity(v vault, salt []byte, slot int, sealed []byte, a *arena) *Identity {
	id := &Identity{&identity{vault: v, slot: slot, keys: a, sealed: sealed}}
	copy(id.salt[:], salt)
	id.tried = [nonceSize]byte(sealed)
	do(func() {
		private := edKey(keysOf(a).seed)
		copy(id.public[:], private[32:])
		clear(private)
		copy(id.agreement[:], x25519(keysOf(a).agree).PublicKey().Bytes())
	})
	return id
}

// edKey and x25519 make private keys on the heap, for one use inside do.
func edKey(seed []byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(append(make([]byte, 0, keySize), seed...))
}

func x25519(scalar []byte) *ecdh.PrivateKey {
	k, err := ecdh.X25519().NewPrivateKey(scalar)
	if err != nil {
		panic("keystore: agreement key of a wrong size")
	}
	return k
}

// PublicKey returns the Ed25519 public key, by which others know the identity.
func (id *Identity) PublicKey() [32]byte { return id.public }

// AgreementKey returns the X25519 form of the same key.
func (id *Identity) AgreementKey() [32]byte { return id.agreement }

// Sign returns the Ed25519 signature of msg (RFC 8032).
func (id *Identity) Sign(msg []byte) (sig [64]byte, err error) {
	err = id.with(func(k keys) error {
		private := edKey(k.seed)
		copy(sig[:], ed25519.Sign(private, msg))
		clear(private)
		return nil
	})
	return sig, err
}

// Agree returns the X25519 result with a peer's agreement key (RFC 7748); ErrKey for a key of
// low order. The result is a secret: the caller works on it where it is erased.
func (id *Identity) Agree(peer [32]byte) (shared [32]byte, err error) {
	out, err := id.agree(peer)
	return take(out), err
}

// agree returns the result in memory that was allocated inside do.
func (id *Identity) agree(peer [32]byte) (out []byte, err error) {
	err = id.with(func(k keys) error {
		p, err := ecdh.X25519().NewPublicKey(peer[:])
		if err == nil {
			out, err = x25519(k.agree).ECDH(p)
		}
		if err != nil {
			return ErrKey
		}
		return nil
	})
	return out, err
}

// Derive returns 32 bytes of HKDF-SHA256 (RFC 5869) from the identity's root secret; the info is
// "nightjar derive v1", the label's length in two bytes (big endian), label, context. What is
// derived is the same for the identity's whole life, whatever its password. It is a secret.
func (id *Identity) Derive(label string, context []byte) (key [32]byte, err error) {
	if len(label) > 1<<16-1 {
		return key, errors.New("derive key: label too long")
	}
	info := binary.BigEndian.AppendUint16([]byte(deriveLabel), uint16(len(label)))
	info = append(append(info, label...), context...)
	var out []byte
	err = id.with(func(k keys) error {
		var err error
		out, err = hkdf.Key(sha256.New, k.root, nil, string(info), keySize)
		return err
	})
	return take(out), err
}

// Exchanger returns the agreement key as a handle for crypto/hpke. It ends with the identity.
func (id *Identity) Exchanger() ecdh.KeyExchanger { return exchanger{id} }

// with runs f on the keys inside do. Lock waits for it.
func (id *Identity) with(f func(keys) error) (err error) {
	id.mu.RLock()
	defer id.mu.RUnlock()
	if id.keys == nil {
		return ErrLocked
	}
	do(func() { err = f(keysOf(id.keys)) })
	return err
}

// take copies a result that was allocated inside do, so that no other heap memory ever holds
// it, and erases the original.
func take(out []byte) (key [32]byte) {
	copy(key[:], out)
	clear(out)
	return key
}

// Format implements fmt.Formatter: an identity does not print.
func (id *Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer: an identity does not print.
func (id *Identity) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, and with it JSON: an identity does not print.
func (id *Identity) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// exchanger shows an identity's agreement key to crypto/hpke.
type exchanger struct{ id *Identity }

func (e exchanger) Curve() ecdh.Curve { return ecdh.X25519() }

func (e exchanger) PublicKey() *ecdh.PublicKey {
	k, err := ecdh.X25519().NewPublicKey(e.id.agreement[:])
	if err != nil {
		panic("keystore: agreement key of a wrong size")
	}
	return k
}

func (e exchanger) ECDH(peer *ecdh.PublicKey) ([]byte, error) {
	if peer.Curve() != ecdh.X25519() {
		return nil, ErrKey
	}
	return e.id.agree([32]byte(peer.Bytes()))
}

// AgreementKeyOf returns the X25519 form of an Ed25519 public key: the birational map of RFC
// 7748, 4.1. It returns ErrKey for what is no point, for a point outside the prime-order group
// (all of low order are), and for a second spelling of a point: one identity has one address.
func AgreementKeyOf(ed25519Public [32]byte) (key [32]byte, err error) {
	p, err := new(edwards25519.Point).SetBytes(ed25519Public[:])
	if err != nil || [32]byte(p.Bytes()) != ed25519Public {
		return key, ErrKey
	}
	// The order of p is the group's prime exactly if (prime-1)p = -p, and p is not zero.
	one, _ := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	minus := edwards25519.NewScalar().Negate(one)
	q := new(edwards25519.Point).ScalarMult(minus, p)
	if q.Add(q, p).Equal(edwards25519.NewIdentityPoint()) == 0 ||
		p.Equal(edwards25519.NewIdentityPoint()) == 1 {
		return key, ErrKey
	}
	copy(key[:], p.BytesMontgomery())
	return key, nil
}
