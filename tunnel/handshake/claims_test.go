// What the handshake claims against those who hold more than they should: one test each, with
// the weaker variant on which the same attack succeeds.

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
	key := outerKey(p.b.Root, p.a.Static, p.b.Static)
	if _, _, err := p.answer(sealOuter(key, m1, fresh())); !errors.Is(err, ErrForged) {
		t.Error("answered:", err)
	}
	if p.bKey.agreed != 0 {
		t.Error("the handle was asked")
	}
}

// The thief of b's static key, root and PSK calls b in the name of a.
func TestStolenStaticKeyDoesNotSpeakAsOthersToItsOwner(t *testing.T) {
	p := newPair(t)
	// It can make a first message that b answers: all agreements in it involve b's key.
	in, wire, err := Start(forger{p}, p.b, now)
	if err != nil {
		t.Fatal(err)
	}
	b, reply, err := p.answer(wire)
	if err != nil {
		t.Fatal("the thief was stopped sooner than claimed:", err)
	}
	// A responder that trusted the first message would now take the thief for a: so Answer's
	// session counts for nothing until a record opens, and that the thief cannot make.
	if b.Peer != p.a.Static {
		t.Fatal("the attack is not the one meant")
	}
	if _, err := in.Finish(reply); !errors.Is(err, ErrForged) {
		t.Error("the thief completed the handshake:", err)
	}
}

// A forger claims a's public key and knows b's private key: it computes DH(a, b) from b's side,
// and guesses where a's private key is needed.
type forger struct{ *pair }

func (f forger) AgreementKey() [32]byte { return f.a.Static }

func (f forger) Agree(peer [32]byte) ([32]byte, error) {
	if peer == f.b.Static {
		return f.bKey.Agree(f.a.Static)
	}
	return f.bKey.Agree(peer)
}

// The thief of a's static key, root and PSK answers a in the name of b.
func TestStolenStaticKeyIsNotAnsweredAsOthers(t *testing.T) {
	p := newPair(t)
	in, wire := p.start(t)
	key := outerKey(p.b.Root, p.a.Static, p.b.Static)
	m1, _ := openOuter(nil, key, wire, RenewSize)
	backwards := &pair{aKey: p.bKey, bKey: p.aKey, a: p.b, b: p.a}
	_, _, err := reply2(forger{backwards}, p.a, firstPrologue, [32]byte{}, m1, fresh())
	if err == nil {
		t.Fatal("the thief read a first message that was not for it")
	}
	_ = in
}

// An accomplice relays: b must not believe that a called somebody else, nor a that it reached b
// when it called c. All share one root and PSK, the worst case.
func TestNobodyIsTakenForAnother(t *testing.T) {
	p := newPair(t)
	third := newKey(t)
	c := Peer{Static: third.AgreementKey(), Root: p.b.Root, PSK: p.b.PSK}
	_, wire, err := Start(p.aKey, c, now) // a calls c
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.answer(wire); !errors.Is(err, ErrStranger) {
		t.Error("b answered a call to c:", err)
	}
	// The relay opens the outer layer and seals the message anew for b.
	m1, ok := openOuter(nil, outerKey(c.Root, p.a.Static, c.Static), wire, RenewSize)
	if !ok {
		t.Fatal("the relay cannot do what the test wants of it")
	}
	anew := sealOuter(outerKey(c.Root, p.a.Static, p.b.Static), m1, fresh())
	if _, _, err := p.answer(anew); !errors.Is(err, ErrForged) {
		t.Error("b took a call to c for its own:", err)
	}
}

// The recorder of a session later breaks X25519: it knows every private key, ephemeral ones too,
// and root and PSK. It lacks the KEM's secret alone.
func TestRecorderWhoBreaksX25519LearnsNothing(t *testing.T) {
	for _, kemBroken := range []bool{false, true} {
		p := newPair(t)
		known := chance{fill: func(b []byte) { copy(b, bytes.Repeat([]byte{9}, len(b))) }}
		var shared, ciphertext []byte
		known.encapsulate = func(k *mlkem.EncapsulationKey768) ([]byte, []byte) {
			shared, ciphertext = k.Encapsulate()
			return bytes.Clone(shared), ciphertext
		}
		o, m1, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, fresh())
		_, m2, err := reply2(p.bKey, p.a, firstPrologue, [32]byte{}, m1, known)
		if err != nil {
			t.Fatal(err)
		}
		a, err := o.finish(m2)
		if err != nil {
			t.Fatal(err)
		}
		said := seal(t, a.Send, "a secret")
		known.encapsulate = func(*mlkem.EncapsulationKey768) ([]byte, []byte) {
			if kemBroken {
				return bytes.Clone(shared), ciphertext
			}
			return make([]byte, mlkem.SharedKeySize), ciphertext
		}
		again, _, err := reply2(p.bKey, p.a, firstPrologue, [32]byte{}, m1, known)
		if err != nil {
			t.Fatal(err)
		}
		if opens(again.Receive, said) != kemBroken {
			t.Error("with the KEM broken:", kemBroken, "the recorder reads:", !kemBroken)
		}
	}
}

// The thief of a whole session state, but not of a static key, follows the session for ever in a
// scheme that only hashes its keys onward; here one renewal leaves it behind.
func TestStolenSessionIsLostAtTheNextRenewal(t *testing.T) {
	p := newPair(t)
	a, b := p.meet(t)
	stolenA, stolenB := *a, *b
	stolenA.key = thief{newKey(t), p.a.Static}
	stolenB.key = thief{newKey(t), p.b.Static}

	r, m1, err := a.Renew()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := stolenB.AnswerRenewal(m1); !errors.Is(err, ErrForged) {
		t.Error("the thief answered a renewal:", err)
	}
	_, forged, err := stolenA.Renew()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.AnswerRenewal(forged); !errors.Is(err, ErrForged) {
		t.Error("the thief renewed:", err)
	}
	b2, m2, err := b.AnswerRenewal(m1)
	if err != nil {
		t.Fatal(err)
	}
	a2, err := r.Finish(m2)
	if err != nil {
		t.Fatal(err)
	}
	said := seal(t, a2.Send, "healed")
	onward, _ := newLane(onwardKey(&stolenB))
	if opens(stolenB.Receive, said) || opens(onward, said) {
		t.Error("the thief still reads")
	}
	if !opens(b2.Receive, said) {
		t.Error("the two do not understand each other")
	}
	naive, _ := newLane(onwardKey(b))
	if !opens(onward, seal(t, naive, "hashed onward")) {
		t.Error("the test would not notice a scheme that hashes its keys onward")
	}
}

func TestRenewalBelongsToOneSession(t *testing.T) {
	p := newPair(t)
	a, b := p.meet(t)
	_, old, err := a.Renew()
	if err != nil {
		t.Fatal(err)
	}
	a2, b2 := renew(t, a, b)
	if _, _, err := b2.AnswerRenewal(old); !errors.Is(err, ErrForged) {
		t.Error("a message of the session before was answered:", err)
	}
	otherA, otherB := p.meet(t)
	if _, _, err := otherB.AnswerRenewal(old); !errors.Is(err, ErrForged) {
		t.Error("a message of another session was answered:", err)
	}
	said := seal(t, a2.Send, "mine")
	if opens(b2.Receive, seal(t, a.Send, "late")) || opens(otherB.Receive, said) {
		t.Error("a record was opened in another session")
	}
	if !opens(b2.Receive, said) || !opens(otherB.Receive, seal(t, otherA.Send, "theirs")) {
		t.Error("a record was not opened in its own session")
	}
}

func TestRenewalNeedsTheChain(t *testing.T) {
	p := newPair(t)
	a, b := p.meet(t)
	b.chain[0] ^= 1
	r, m1, _ := a.Renew()
	_, m2, err := b.AnswerRenewal(m1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Finish(m2); !errors.Is(err, ErrForged) {
		t.Error("renewed without the secret of the session before:", err)
	}
}

func TestRenewalIsNoFirstMessage(t *testing.T) {
	p := newPair(t)
	a, b := p.meet(t)
	_, m1, _ := a.Renew()
	key := outerKey(p.b.Root, p.a.Static, p.b.Static)
	if _, _, err := p.answer(sealOuter(key, m1, fresh())); !errors.Is(err, ErrForged) {
		t.Error("a renewal began a session:", err)
	}
	_, first, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, fresh())
	if _, _, err := b.AnswerRenewal(first); !errors.Is(err, ErrForged) {
		t.Error("a first message renewed a session:", err)
	}
}
