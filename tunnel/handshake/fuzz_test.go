// Bytes of anybody, as handshake messages: what is not genuine is refused, and spoils nothing.

package handshake

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzAnswer(f *testing.F) {
	p := newPair(f)
	_, wire := p.start(f)
	f.Add(wire, false)
	f.Add(make([]byte, Size), false)
	_, m1, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, fresh())
	f.Add(m1, true)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, b []byte, inside bool) {
		if inside && len(b) <= plainSize { // one who knows the root chooses the Noise message
			b = sealOuter(outerKey(p.b.Root, p.a.Static, p.b.Static), b, fresh())
		}
		s, reply, err := p.answer(b)
		if (err == nil) != (s != nil && len(reply) == Size) {
			t.Fatal("neither refused nor answered")
		}
	})
}

func FuzzFinish(f *testing.F) {
	p := newPair(f)
	o, m1, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, fresh())
	_, m2, err := reply2(p.bKey, p.a, firstPrologue, [32]byte{}, m1, fresh())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m2[:RenewedSize-1])
	f.Add(bytes.Repeat([]byte{1}, RenewedSize))
	for _, forged := range forgeries(m2) {
		f.Add(forged)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.Equal(b, m2) {
			return
		}
		if _, err := o.finish(b); !errors.Is(err, ErrForged) {
			t.Fatal("a forged answer gave", err)
		}
	})
}

// Both messages of a renewal, from one who can write into the session but holds no static key.
func FuzzRenewal(f *testing.F) {
	p := newPair(f)
	a, b := p.meet(f)
	r, m1, err := a.Renew()
	if err != nil {
		f.Fatal(err)
	}
	_, m2, err := b.AnswerRenewal(m1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, []byte{})
	f.Add(m1[:RenewSize-1], m2[:RenewedSize-1])
	f.Add(bytes.Repeat([]byte{1}, RenewSize), bytes.Repeat([]byte{1}, RenewedSize))
	f.Add(append(bytes.Clone(m1[:RenewSize-1]), m1[RenewSize-1]^1), append([]byte{m2[0] ^ 1}, m2[1:]...))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		next, reply, err := b.AnswerRenewal(one)
		if bytes.Equal(one, m1) != (err == nil && next != nil && len(reply) == RenewedSize) {
			t.Fatal("renewed:", err)
		}
		if err != nil && !errors.Is(err, ErrForged) {
			t.Fatal(err)
		}
		if bytes.Equal(two, m2) {
			return
		}
		if _, err := r.Finish(two); !errors.Is(err, ErrForged) {
			t.Fatal("a forged answer gave", err)
		}
	})
}
