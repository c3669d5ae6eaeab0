// The claims of this package: marks are SipHash's, find their key and no other, and tell nobody
// else anything.

package mark

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"testing"
)

// The vector of 16 bytes among those that SipHash was published with: key 00..0f, message
// 00..0f.
func TestMarksAreSipHash(t *testing.T) {
	var secret [32]byte
	wire := make([]byte, HeadSize)
	for i := range SeedSize {
		secret[i], wire[i] = byte(i), byte(i)
	}
	NewKey(secret).Sign(wire)
	want := []byte{0xdb, 0x9b, 0xc2, 0x57, 0x7f, 0xcc, 0x2a, 0x3f}
	if !slices.Equal(wire[SeedSize:], want) {
		t.Errorf("%x", wire[SeedSize:])
	}
}

func newKey() Key {
	var secret [32]byte
	rand.Read(secret[:])
	return NewKey(secret)
}

func TestRowFindsItsOwnAndNoOther(t *testing.T) {
	row := make(Row, 100)
	for i := range row {
		row[i] = newKey()
	}
	for i := range row {
		wire := make([]byte, HeadSize+5)
		rand.Read(wire)
		if got := row.Find(wire); got >= 0 {
			t.Error("noise was taken for", got)
		}
		row[i].Sign(wire)
		if got := row.Find(wire); got != i || !row[i].Signed(wire) {
			t.Error("found", got, "instead of", i)
		}
		for at := range HeadSize {
			wire[at] ^= 0x80
			if row.Find(wire) >= 0 {
				t.Fatal("byte", at, "may be changed")
			}
			wire[at] ^= 0x80
		}
		if row.Find(wire[:HeadSize-1]) >= 0 {
			t.Error("half a head was found")
		}
	}
}

// What an observer may try: to see the same again, or bits that lean to one side.
func TestMarksOfOneKeyHaveNothingInCommon(t *testing.T) {
	k, seen, naive := newKey(), make(map[uint64]bool), make(map[uint64]bool)
	const n = 4000
	var set [64]int
	for range n {
		wire := make([]byte, HeadSize)
		rand.Read(wire[:SeedSize])
		k.Sign(wire)
		m := binary.LittleEndian.Uint64(wire[SeedSize:])
		seen[m], naive[k.Of(0, 7)] = true, true // a tag for each epoch says who calls again
		for bit := range set {
			set[bit] += int(m >> bit & 1)
		}
	}
	for bit, sum := range set {
		if d := sum - n/2; d*d > 49*n/4 {
			t.Error("bit", bit, "is set", sum, "times of", n)
		}
	}
	if len(seen) != n || len(naive) != 1 {
		t.Error(len(seen), "marks of", n, "messages;", len(naive), "tags of an epoch")
	}
}

func FuzzFind(f *testing.F) {
	row := Row{NewKey([32]byte{1}), NewKey([32]byte{2})}
	wire := make([]byte, HeadSize)
	row[1].Sign(wire)
	f.Add(wire)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		at := row.Find(wire)
		if at < 0 {
			return
		}
		again := slices.Clone(wire)
		if row[at].Sign(again); !slices.Equal(again, wire) {
			t.Error("a mark that was found is another when made again")
		}
	})
}
