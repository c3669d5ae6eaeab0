// An address: the one public key that is a person here, and how it is written down.

package card

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"filippo.io/edwards25519"
)

const (
	addressVersion = 1
	addressLength  = 56 // characters
)

// letters is base32 of RFC 4648 in lower case and without padding.
var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// An Address is an Ed25519 public key (RFC 8032). It names an identity and is enough to seal
// something to it.
type Address [32]byte

// String returns the 56 characters that people read.
func (a Address) String() string {
	return letters.EncodeToString(a.binary())
}

func (a Address) binary() []byte {
	b := append([]byte{addressVersion}, a[:]...)
	sum := addressSum(b)
	return append(b, sum[:]...)
}

func addressSum(versionKey []byte) [2]byte {
	h := sha256.Sum256(append([]byte("nightjar address"), versionKey...))
	return [2]byte(h[:2])
}

// ParseAddress reads what String writes; upper case and space around it do no harm. It returns
// ErrAddress or ErrVersion.
func ParseAddress(s string) (Address, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) != addressLength {
		return Address{}, ErrAddress
	}
	b, err := letters.DecodeString(s)
	if err != nil || len(b) != 35 {
		return Address{}, ErrAddress
	}
	if sum := addressSum(b[:33]); !bytes.Equal(sum[:], b[33:]) {
		return Address{}, ErrAddress
	}
	if b[0] != addressVersion {
		return Address{}, ErrVersion
	}
	a := Address(b[1:33])
	return a, a.check()
}

// check refuses what is no point of the curve, is written in a second way, or has a low order:
// anyone could sign for such a key, and nothing can be sealed to it.
func (a Address) check() error {
	p, err := new(edwards25519.Point).SetBytes(a[:])
	if err != nil || !bytes.Equal(p.Bytes(), a[:]) {
		return ErrAddress
	}
	if p.MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return ErrAddress
	}
	return nil
}
