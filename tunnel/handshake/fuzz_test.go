// Bytes of anybody, as handshake messages: what is not genuine is refused, and spoils nothing.

package handshake

import (
	"bytes"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"errors"
	"math/rand/v2"
	"testing"

	"nightjar/tunnel/proof"
)

// fated is a pair and a chance that are the same in each process: what one process keeps as
// interesting is as interesting to the next.
func fated(t testing.TB) (*pair, chance) {
	source := rand.NewChaCha8([32]byte{7})
	fill := func(b []byte) { source.Read(b) }
	key := func() *proof.Key {
		var b [32]byte
		fill(b[:])
		return proof.KeyOf(t, b[:])
	}
	p := &pair{aKey: key(), bKey: key(), seen: new(Memory)}
	p.a.Static, p.b.Static = p.aKey.AgreementKey(), p.bKey.AgreementKey()
	return p, chance{fill, func(k *mlkem.EncapsulationKey768) (shared, ciphertext []byte) {
		var m [32]byte
		fill(m[:])
		shared, ciphertext, err := mlkemtest.Encapsulate768(k, m[:])
		if err != nil {
			t.Fatal(err)
		}
		return shared, ciphertext
	}}
}

func FuzzAnswer(f *testing.F) {
	p, from := fated(f)
	_, wire, err := start(p.aKey, p.b, now, from)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire, false)
	f.Add(make([]byte, Size), false)
	_, m1, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, from)
	f.Add(m1, true)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, b []byte, inside bool) {
		if inside && len(b) <= plainSize { // one who knows the root chooses the Noise message
			b = resealed(p.b.Root, p.a.Static, p.b.Static, b)
		}
		s, reply, err := p.answer(b)
		if (err == nil) != (s != nil && len(reply) == Size) {
			t.Fatal("neither refused nor answered")
		}
	})
}

func FuzzFinish(f *testing.F) {
	p, from := fated(f)
	o, m1, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, from)
	_, m2, err := reply2(p.bKey, p.a, firstPrologue, [32]byte{}, m1, from)
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
	p, from := fated(f)
	in, wire, err := start(p.aKey, p.b, now, from)
	if err != nil {
		f.Fatal(err)
	}
	b, answered, err := answer(p.bKey, []Peer{p.a}, now, p.seen, wire, from)
	if err != nil {
		f.Fatal(err)
	}
	a, err := in.Finish(answered)
	if err != nil {
		f.Fatal(err)
	}
	r, m1, err := a.renew(from)
	if err != nil {
		f.Fatal(err)
	}
	_, m2, err := b.answerRenewal(m1, from)
	if err != nil {
		f.Fatal(err)
	}
	flip := func(m []byte, at int) []byte {
		m = bytes.Clone(m)
		m[at] ^= 1
		return m
	}
	f.Add([]byte{}, []byte{})
	f.Add(m1[:RenewSize-1], m2[:RenewedSize-1])
	f.Add(bytes.Repeat([]byte{1}, RenewSize), bytes.Repeat([]byte{1}, RenewedSize))
	f.Add(flip(m1, RenewSize-1), flip(m2, 0))
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
