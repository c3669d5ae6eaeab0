// What QUIC knows of what is said: nothing.

package bulk

import (
	"bytes"
	"crypto/rand"
	"io"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/chacha20"
)

// raw is what QUIC gives of a stream.
func raw(t *testing.T, far io.Reader, n int) []byte {
	got := make([]byte, n)
	if _, err := io.ReadFull(far.(*stream).q, got); err != nil {
		t.Fatal(err)
	}
	return got
}

// What QUIC delivers holds nothing of what was said, and two streams that say the same have
// nothing in common. A stream without a veil shows all of it.
func TestQUICNeverHasWhatIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, end := newPair(0)
		defer end()
		said := bytes.Repeat([]byte("said "), 100)
		var seen [][]byte
		for _, bare := range []bool{false, false, true} {
			s, err := a.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			far, err := b.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if bare {
				s.(*stream).q.Write(said)
			} else {
				s.Write(said)
			}
			seen = append(seen, raw(t, far, len(said)))
		}
		if !bytes.Equal(seen[2], said) {
			t.Error("the test would not notice what is said")
		}
		for i := range said {
			if n := i + 4; n <= len(said) && (bytes.Contains(seen[0], said[i:n]) ||
				bytes.Equal(seen[0][i:n], seen[1][i:n])) {
				t.Fatal("QUIC has what is said, or the same twice")
			}
		}
	})
}

func TestVeilIsChaCha20FromAnyOffset(t *testing.T) {
	key := new([32]byte)
	rand.Read(key[:])
	said := make([]byte, 1000)
	rand.Read(said)
	for _, from := range []uint64{0, 1, 63, 64, 500, segment - 100, segment - 1, segment,
		5*segment + 77, 3*segment - 640} {
		one, other := veil{key: key, stream: 9, offset: from}, veil{key: key, stream: 9}
		other.offset = from
		whole := make([]byte, len(said))
		one.cover(whole, said)
		var parts []byte
		for at, n := 0, 1; at < len(said); at, n = at+n, n*2 {
			n = min(n, len(said)-at)
			part := make([]byte, n)
			other.cover(part, said[at:at+n])
			if n > 10 { // the last of it did not leave
				other.back(5)
				other.cover(part[n-5:], said[at+n-5:at+n])
			}
			parts = append(parts, part...)
		}
		if !bytes.Equal(whole, parts) {
			t.Error("the bytes from", from, "depend on how they are cut")
		}
		shown := veil{key: key, stream: 9, offset: from}
		if shown.cover(whole, whole); !bytes.Equal(whole, said) {
			t.Error("the bytes from", from, "do not come back")
		}
	}
	v, got := veil{key: key, stream: 1}, make([]byte, 100)
	v.cover(got, got)
	cipher, _ := chacha20.NewUnauthenticatedCipher(key[:], []byte{7: 1, 11: 0})
	want := make([]byte, 100)
	if cipher.XORKeyStream(want, want); !bytes.Equal(got, want) {
		t.Error("not the keystream that is written down")
	}
}
