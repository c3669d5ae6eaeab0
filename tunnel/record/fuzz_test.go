// Bytes of anybody, as records: none but the genuine one opens, and none spoils it.

package record

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzOpen(f *testing.F) {
	send, receive := newLanes(f)
	genuine, err := send.Seal(Append(make([]byte, 0, Size), Datagram, []byte("hello")...))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(make([]byte, Size))
	f.Add(bytes.Repeat([]byte{0xff}, Size+1))
	f.Add(genuine[:Size-1])
	f.Add(append(bytes.Clone(genuine[:Size-1]), genuine[Size-1]^1))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := receive.Open(bytes.Clone(b))
		if opened := err == nil; opened != bytes.Equal(b, genuine) {
			t.Fatal("opened:", opened, err)
		}
		if err != nil && !errors.Is(err, ErrForged) {
			t.Fatal(err)
		}
		receive.count = 0
		if _, err := receive.Open(bytes.Clone(genuine)); err != nil {
			t.Fatal("the genuine record was spoilt:", err)
		}
		receive.count = 0
	})
}
