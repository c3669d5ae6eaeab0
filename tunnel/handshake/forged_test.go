// What the handshake does with messages that are not what they should be: wrong secrets, points of
// low order, forgeries.

package handshake

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"errors"
	"testing"
)

func TestWrongPSKMakesNoSession(t *testing.T) {
	p := newPair(t)
	p.b.PSK[5] ^= 1 // a believes in another secret
	in, wire := p.start(t)
	_, reply, err := p.answer(wire)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Finish(reply); !errors.Is(err, ErrForged) {
		t.Error("finished with the wrong PSK:", err)
	}
}

func TestLowOrderTableIsComplete(t *testing.T) {
	scalar, _ := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{0x55}, 32))
	refusedByStdlib := func(b []byte) bool {
		point, err := ecdh.X25519().NewPublicKey(b)
		if err != nil {
			return true
		}
		_, err = scalar.ECDH(point)
		return err != nil
	}
	found := 0
	for _, low := range []byte{0, 1, 2, 0xe0, 0x5f, 0xeb, 0xec, 0xed, 0xee, 0xef} {
		for _, point := range [][32]byte{{low}, nearPrime(low), eight(low)} {
			for _, top := range []byte{0, 0x80} {
				point[31] |= top
				if lowOrder(point[:]) != refusedByStdlib(point[:]) {
					t.Errorf("table is wrong about %x", point)
				}
				if lowOrder(point[:]) {
					found++
				}
			}
		}
	}
	if found != 14 {
		t.Error("points of low order met:", found)
	}
}

// eight is the point of order eight with that lowest byte, or something else.
func eight(low byte) (p [32]byte) {
	one := [32]byte{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1,
		0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
		0x5f, 0x49, 0xb8}
	two := [32]byte{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c,
		0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd,
		0xd0, 0x9f, 0x11, 0x57}
	if low == two[0] {
		return two
	}
	one[0] = low
	return one
}

// forgeries are answers that one who knows the pair's root can seal, without holding b's key.
func forgeries(genuine []byte) map[string][]byte {
	with := func(at int, b ...byte) []byte {
		m := bytes.Clone(genuine)
		copy(m[at:], b)
		return m
	}
	stranger, _ := ecdh.X25519().GenerateKey(rand.Reader)
	flipped := bytes.Clone(genuine)
	flipped[100] ^= 1
	return map[string][]byte{
		"zero point":     with(mlkem.CiphertextSize768, make([]byte, 32)...),
		"point one":      with(mlkem.CiphertextSize768, append([]byte{1}, make([]byte, 31)...)...),
		"another's e":    with(mlkem.CiphertextSize768, stranger.PublicKey().Bytes()...),
		"ciphertext bit": flipped,
		"tag":            with(RenewedSize-16, make([]byte, 16)...),
	}
}

func TestForgedAnswerDoesNotSpoilTheGenuine(t *testing.T) {
	p := newPair(t)
	o, m1, err := open(p.aKey, p.b, firstPrologue, [32]byte{}, fresh())
	if err != nil {
		t.Fatal(err)
	}
	b, genuine, err := reply2(p.bKey, p.a, firstPrologue, [32]byte{}, m1, fresh())
	if err != nil {
		t.Fatal(err)
	}
	for name, forged := range forgeries(genuine) {
		if _, err := o.finish(forged); !errors.Is(err, ErrForged) {
			t.Error(name, "was taken:", err)
		}
	}
	a, err := o.finish(genuine)
	if err != nil {
		t.Fatal("the genuine answer was spoilt:", err)
	}
	talks(t, a, b)
}

func TestWithoutTheLowOrderCheckTheGenuineIsSpoilt(t *testing.T) {
	p := newPair(t)
	o, m1, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, fresh())
	_, genuine, err := reply2(p.bKey, p.a, firstPrologue, [32]byte{}, m1, fresh())
	if err != nil {
		t.Fatal(err)
	}
	o.noise.SetPresharedKey(make([]byte, 32))
	naive := forgeries(genuine)["zero point"][mlkem.CiphertextSize768:]
	o.noise.ReadMessage(nil, naive) // as finish would, had it not looked
	if _, err := o.finish(genuine); err == nil {
		t.Error("the library has been mended: the check is no longer needed for this")
	}
}

func TestLowOrderFirstMessageIsRefusedBeforeAnyDiffieHellman(t *testing.T) {
	p := newPair(t)
	_, m1, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, fresh())
	copy(m1, make([]byte, 32))
	anew := resealed(p.b.Root, p.a.Static, p.b.Static, m1)
	if _, _, err := p.answer(anew); !errors.Is(err, ErrForged) {
		t.Error("answered:", err)
	}
	if p.bKey.Agreed() != 0 {
		t.Error("the handle was asked")
	}
}
