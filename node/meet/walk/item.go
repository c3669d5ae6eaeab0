// The item: what the DHT stores for us, and when it is genuine.

package walk

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha1"
	"strconv"
)

// MaxValue is the most bytes a value may have: 1000 when bencoded (BEP44).
const MaxValue = 996

// An Item is a signed value at the address of its key (BEP44, mutable, without salt).
type Item struct {
	Key   [32]byte // Ed25519
	Seq   int64    // the highest valid one wins
	Value []byte   // at most MaxValue bytes, bencoded as one string
	Sig   [64]byte // Ed25519 of SigningBytes
}

// SigningBytes returns what the owner of a key signs for an item (BEP44).
func SigningBytes(seq int64, value []byte) []byte {
	b := append(strconv.AppendInt([]byte("3:seqi"), seq, 10), "e1:v"...)
	return append(b, encodeString(value)...)
}

// Target is where in the DHT the items of a key are: its SHA-1.
func Target(key [32]byte) [20]byte { return sha1.Sum(key[:]) }

// Genuine reports whether i is signed by key and within bounds.
func (i *Item) Genuine(key [32]byte) bool {
	return i.Key == key && i.Seq >= 0 && len(i.Value) <= MaxValue &&
		ed25519.Verify(i.Key[:], SigningBytes(i.Seq, i.Value), i.Sig[:])
}

// same reports whether two items are one.
func (i *Item) same(j *Item) bool { return i.Seq == j.Seq && bytes.Equal(i.Value, j.Value) }
