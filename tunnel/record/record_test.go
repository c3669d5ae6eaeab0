// The claims of this package: records are one size, random-looking, total to parse, cheap.

package record

import (
	"bytes"
	"compress/flate"
	"errors"
	"testing"
)

func newLanes(t testing.TB) (send, receive *Lane) {
	key := bytes.Repeat([]byte{7}, 32)
	send, err := NewLane(key)
	if err != nil {
		t.Fatal(err)
	}
	if receive, err = NewLane(key); err != nil {
		t.Fatal(err)
	}
	return send, receive
}

func TestEveryLengthIsPaddedToOneSize(t *testing.T) {
	send, receive := newLanes(t)
	for n := range room + 2 {
		plain := make([]byte, 0, Size)
		if n > Left(plain) {
			if n != room+1 {
				t.Fatal("a body of", n, "bytes does not fit")
			}
			return
		}
		plain = Append(plain, Data, bytes.Repeat([]byte{0xff}, n)...)
		sealed, err := send.Seal(plain)
		if err != nil || len(sealed) != Size {
			t.Fatal(len(sealed), err)
		}
		opened, err := receive.Open(sealed)
		if err != nil {
			t.Fatal(err)
		}
		frames, err := Parse(nil, opened)
		if err != nil || len(frames) != 1 || len(frames[0].Body) != n || frames[0].Kind != Data {
			t.Fatalf("%d bytes came back as %d frames, %v", n, len(frames), err)
		}
	}
}

func TestOldBytesNeverReachTheFarSideAsPadding(t *testing.T) {
	send, receive := newLanes(t)
	dirty := bytes.Repeat([]byte{0xee}, Size)
	sealed, _ := send.Seal(Append(dirty[:0], Bye))
	plain, err := receive.Open(sealed)
	if err != nil || !bytes.Equal(plain[header:], make([]byte, Plain-header)) {
		t.Fatal("padding is not zeros", err)
	}
}

func TestRecordsLookRandom(t *testing.T) {
	send, _ := newLanes(t)
	var sealed, naive []byte
	for range 2000 {
		plain := Append(make([]byte, 0, Size), Data, bytes.Repeat([]byte{'a'}, 100)...)
		naive = append(naive, plain[:Size]...) // a variant that pads without sealing
		b, _ := send.Seal(plain)
		sealed = append(sealed, b...)
	}
	if !looksRandom(sealed) {
		t.Error("sealed records have a pattern")
	}
	if looksRandom(naive) {
		t.Error("the test would not notice a pattern")
	}
}

// looksRandom is a chi-square test of bytes and an attempt to compress.
func looksRandom(b []byte) bool {
	var count [256]float64
	for _, c := range b {
		count[c]++
	}
	want, chi := float64(len(b))/256, 0.0
	for _, n := range count {
		chi += (n - want) * (n - want) / want
	}
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	w.Write(b)
	w.Close()
	// 255 degrees of freedom: mean 255, deviation 22.6; six deviations.
	return chi < 255+6*22.6 && out.Len() >= len(b)
}

func TestForgedReplayedAndReorderedRecordsAreRefused(t *testing.T) {
	seal := func(l *Lane, text string) []byte {
		b, err := l.Seal(Append(make([]byte, 0, Size), Data, []byte(text)...))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, mangle := range map[string]func(first, second []byte) []byte{
		"flipped":   func(a, _ []byte) []byte { a[300] ^= 1; return a },
		"tag":       func(a, _ []byte) []byte { a[Size-1] ^= 1; return a },
		"reordered": func(_, b []byte) []byte { return b },
		"short":     func(a, _ []byte) []byte { return a[:Size-1] },
		"long":      func(a, _ []byte) []byte { return append(a, 0) },
		"empty":     func(_, _ []byte) []byte { return nil },
	} {
		send, receive := newLanes(t)
		bad := mangle(seal(send, "one"), seal(send, "two"))
		if _, err := receive.Open(bad); !errors.Is(err, ErrForged) {
			t.Error(name, "was opened:", err)
		}
	}
	send, receive := newLanes(t)
	once := seal(send, "once")
	again := bytes.Clone(once)
	if _, err := receive.Open(once); err != nil {
		t.Fatal(err)
	}
	if _, err := receive.Open(again); !errors.Is(err, ErrForged) {
		t.Error("a replayed record was opened")
	}
}

func TestWornKeySealsNoMore(t *testing.T) {
	send, receive := newLanes(t)
	send.count, receive.count = wear-1, wear-1
	b, err := send.Seal(make([]byte, 0, Size))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receive.Open(b); err != nil {
		t.Fatal(err)
	}
	if _, err := send.Seal(make([]byte, 0, Size)); !errors.Is(err, ErrWorn) {
		t.Error("sealed past the end:", err)
	}
	if _, err := receive.Open(b); !errors.Is(err, ErrWorn) {
		t.Error("opened past the end:", err)
	}
}

func TestSealingAndOpeningAllocateNothing(t *testing.T) {
	send, receive := newLanes(t)
	buf := make([]byte, 0, Size)
	if n := testing.AllocsPerRun(1000, func() {
		sealed, _ := send.Seal(buf)
		receive.Open(sealed)
	}); n > 0 {
		t.Error(n, "allocations a record")
	}
}

func TestMalformedRecordsAreRefused(t *testing.T) {
	whole := func(head ...byte) []byte { return append(head, make([]byte, Plain-len(head))...) }
	for name, plain := range map[string][]byte{
		"unknown kind":        whole(byte(kinds), 0, 0),
		"length past the end": whole(byte(Data), 0x01, 0xe0),
		"padding not zero":    append(whole()[:Plain-1], 1),
		"header cut off":      append(whole(byte(Data), 1, 0xda)[:Plain-5], 4, 0, 1, 0, 4),
		"too short":           make([]byte, Plain-1),
		"too long":            make([]byte, Plain+1),
		"empty":               nil,
	} {
		if _, err := Parse(nil, plain); !errors.Is(err, ErrFrame) {
			t.Error(name, "was taken:", err)
		}
	}
}

func FuzzParse(f *testing.F) {
	pad := func(b []byte) []byte { return b[:Plain] }
	empty := func() []byte { return make([]byte, 0, Size) }
	f.Add(pad(empty()))
	f.Add(pad(Append(empty(), Datagram, 1, 2, 3)))
	f.Add(pad(Append(Append(empty(), Switch), Credit, 0, 0, 0, 1, 0, 0, 1, 0)))
	f.Add(pad(Append(empty(), Renew, make([]byte, room)...)))
	f.Add([]byte{9})
	f.Fuzz(func(t *testing.T, plain []byte) {
		frames, err := Parse(nil, plain)
		if err != nil {
			return
		}
		again := empty()
		for _, fr := range frames {
			if len(fr.Body) > Left(again) {
				t.Fatal("parsed more than a record holds")
			}
			again = Append(again, fr.Kind, fr.Body...)
		}
		if !bytes.Equal(pad(again), plain) {
			t.Fatal("parsed frames do not encode to what they were parsed from")
		}
	})
}
