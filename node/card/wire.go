// Deterministic CBOR, and the small checks that every decoder of this package shares.

package card

import (
	"bytes"
	"crypto/sha3"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// marshal encodes deterministically (RFC 8949 section 4.2.1). It panics on types that CBOR cannot
// hold: a programmer's error.
func marshal(v any) []byte {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	b, err := mode.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// unmarshal reports whether b is exactly what marshal writes for some *v, and sets it. Whatever is
// unknown, doubled, out of order or longer than need be is refused.
func unmarshal[T any](b []byte, v *T) bool {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:   4,
		MaxArrayElements:  16,
		MaxMapPairs:       16,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	if mode.Unmarshal(b, v) != nil {
		return false
	}
	return bytes.Equal(marshal(*v), b)
}

// plain reports whether s is text of at most limit bytes that cannot move a cursor, hide or
// reorder what stands beside it. The joiners that Persian and emoji need are allowed.
func plain(s string, limit int) bool {
	if len(s) > limit || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) && r != '\u200c' && r != '\u200d' {
			return false
		}
	}
	return true
}

// plainLine reports whether s is one line of 1 to limit printable ASCII characters.
func plainLine(s string, limit int) bool {
	if s == "" || len(s) > limit || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// serviceKey returns the Ed25519 key inside a v3 onion service id of 56 characters
// (rend-spec-v3 section 6, ENCONLENGTH), or false.
func serviceKey(id string) ([32]byte, bool) {
	b, err := letters.DecodeString(id)
	if err != nil || len(b) != 35 || len(id) != 56 {
		return [32]byte{}, false
	}
	k := [32]byte(b[:32])
	return k, serviceID(k) == id
}

// serviceID writes a v3 onion service id: base32 of key 32 | checksum 2 | version 3.
func serviceID(key [32]byte) string {
	in := append([]byte(".onion checksum"), key[:]...)
	sum := sha3.Sum256(append(in, 3))
	b := append(key[:], sum[0], sum[1], 3)
	return letters.EncodeToString(b)
}
