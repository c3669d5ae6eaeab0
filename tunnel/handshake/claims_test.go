// What the handshake claims against those who hold more than they should: one test each, with
// the weaker variant on which the same attack succeeds.

package handshake

import (
	"bytes"
	"crypto/mlkem"
	"errors"
	"testing"

	"nightjar/tunnel/proof"
	"nightjar/tunnel/record"
)

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
	m1, _ := openOuter(key, wire, RenewSize)
	backwards := &pair{aKey: p.bKey, bKey: p.aKey, a: p.b, b: p.a}
	_, m2, err := reply2(forger{backwards}, p.a, firstPrologue, [32]byte{}, m1, fresh())
	if err == nil {
		t.Error("the thief read a first message that was not for it")
		if _, err := in.opening.finish(m2); err == nil {
			t.Error("and answered it")
		}
	}
	if staticOnly(t, p.aKey, p.b, wire) != staticOnly(t, p.bKey, p.a, wire) {
		t.Error("the test would not notice keys that the thief can make alone")
	}
}

// An accomplice relays: b must not believe that a called somebody else, nor a that it reached b
// when it called c. All share one root and PSK, the worst case.
func TestNobodyIsTakenForAnother(t *testing.T) {
	p := newPair(t)
	third := proof.NewKey(t)
	c := Peer{Static: third.AgreementKey(), Root: p.b.Root, PSK: p.b.PSK}
	_, wire, err := Start(p.aKey, c, now) // a calls c
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.answer(wire); !errors.Is(err, ErrStranger) {
		t.Error("b answered a call to c:", err)
	}
	// The relay opens the outer layer and seals the message anew for b.
	m1, ok := openOuter(outerKey(c.Root, p.a.Static, c.Static), wire, RenewSize)
	if !ok {
		t.Fatal("the relay cannot do what the test wants of it")
	}
	anew := resealed(c.Root, p.a.Static, p.b.Static, m1)
	if _, _, err := p.answer(anew); !errors.Is(err, ErrForged) {
		t.Error("b took a call to c for its own:", err)
	}
	// Keys made of ephemerals and the PSK alone name nobody: a, who calls c, is answered by b.
	if calling, called := nameless(t, c, p.a); calling != called {
		t.Error("the test would not notice a handshake that names nobody")
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
	stolenA.key = thief{proof.NewKey(t), p.a.Static}
	stolenB.key = thief{proof.NewKey(t), p.b.Static}

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

// The thief of everything that lasts, who also kept all that crossed, and the state of the session
// as it is now, reads nothing of what was said before.
func TestStolenStaticKeysDoNotOpenThePast(t *testing.T) {
	p := newPair(t)
	in, wire := p.start(t)
	b, reply, err := p.answer(wire)
	if err != nil {
		t.Fatal(err)
	}
	a, err := in.Finish(reply)
	if err != nil {
		t.Fatal(err)
	}
	said := seal(t, a.Send, "long ago")
	a2, _ := renew(t, a, b)
	m1, ok := openOuter(outerKey(p.b.Root, p.a.Static, p.b.Static), wire, RenewSize)
	if !ok {
		t.Fatal("the thief cannot do what the test wants of it")
	}
	again, _, err := reply2(p.bKey, p.a, firstPrologue, [32]byte{}, m1, fresh())
	if err != nil {
		t.Fatal("the thief was stopped sooner than claimed:", err)
	}
	guesses := []*record.Lane{again.Receive, again.Send, a2.Send, a2.Receive}
	for _, key := range [][32]byte{onwardKey(a2), a2.chain, staticOnly(t, p.bKey, p.a, wire)} {
		l, _ := newLane(key)
		guesses = append(guesses, l)
	}
	for i, l := range guesses {
		rewind(l)
		if opens(l, said) {
			t.Error("guess", i, "opens the past")
		}
	}
	naive, _ := newLane(staticOnly(t, p.aKey, p.b, wire))
	if !opens(guesses[len(guesses)-1], seal(t, naive, "long ago")) {
		t.Error("the test would not notice keys of static secrets alone")
	}
}

// What was recorded in one epoch of the keys is worth nothing in a later one, or in another
// session.
func TestNothingOfAnEarlierEpochIsTakenLater(t *testing.T) {
	p := newPair(t)
	a, b := p.meet(t)
	r, old, err := a.Renew()
	if err != nil {
		t.Fatal(err)
	}
	b2, oldAnswer, err := b.AnswerRenewal(old)
	if err != nil {
		t.Fatal(err)
	}
	a2, err := r.Finish(oldAnswer)
	if err != nil {
		t.Fatal(err)
	}
	otherA, otherB := p.meet(t)
	for name, s := range map[string]*Session{"later epoch": b2, "other session": otherB} {
		if _, _, err := s.AnswerRenewal(old); !errors.Is(err, ErrForged) {
			t.Error(name, "answered an old renewal:", err)
		}
		if opens(s.Receive, seal(t, a.Send, "late")) {
			t.Error(name, "opened an old record")
		}
	}
	for name, s := range map[string]*Session{"later epoch": a2, "other session": otherA} {
		r, _, err := s.Renew()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Finish(oldAnswer); !errors.Is(err, ErrForged) {
			t.Error(name, "took an old answer:", err)
		}
	}
	talks(t, a2, b2)
	talks(t, otherA, otherB)
	// A renewal that is not bound to its session is answered in every epoch.
	_, loose, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, fresh())
	for range 2 {
		if _, _, err := reply2(p.bKey, p.a, firstPrologue, [32]byte{}, loose, fresh()); err != nil {
			t.Error("the test would not notice a renewal without binding:", err)
		}
	}
}

// The chain is good for one renewal of one session, and only together with the static keys.
func TestChainIsWorthNothingElsewhere(t *testing.T) {
	p := newPair(t)
	a, b := p.meet(t)
	other, _ := p.meet(t)
	finish := func(from, to [32]byte) error {
		o, m1, err := open(p.aKey, p.b, b.renewPrologue(), from, fresh())
		if err != nil {
			t.Fatal(err)
		}
		_, m2, err := reply2(p.bKey, p.a, b.renewPrologue(), to, m1, fresh())
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.finish(m2)
		return err
	}
	if err := finish(a.chain, b.chain); err != nil {
		t.Error("the chain does not renew its own session:", err)
	}
	for name, chain := range map[string][32]byte{
		"another session's": other.chain, "none": {}, "a guess": {1},
	} {
		if err := finish(chain, b.chain); !errors.Is(err, ErrForged) {
			t.Error("renewed with", name, err)
		}
		// Without the chain in psk2 the thief of the static keys and the PSK, who has none, would
		// take the session over.
		if err := finish([32]byte{}, [32]byte{}); err != nil {
			t.Error("the test would not notice a renewal without chain:", err)
		}
	}
	o, m1, _ := open(p.aKey, p.b, firstPrologue, a.chain, fresh())
	_, m2, err := reply2(p.bKey, p.a, firstPrologue, [32]byte{}, m1, fresh())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.finish(m2); !errors.Is(err, ErrForged) {
		t.Error("a new session was made of an old chain:", err)
	}
	robber := thief{proof.NewKey(t), p.a.Static}
	_, forged, _ := open(robber, p.b, b.renewPrologue(), a.chain, fresh())
	if _, _, err := b.AnswerRenewal(forged); !errors.Is(err, ErrForged) {
		t.Error("the chain alone renewed the session:", err)
	}
}

func TestRenewalIsNoFirstMessage(t *testing.T) {
	p := newPair(t)
	a, b := p.meet(t)
	_, m1, _ := a.Renew()
	anew := resealed(p.b.Root, p.a.Static, p.b.Static, m1)
	if _, _, err := p.answer(anew); !errors.Is(err, ErrForged) {
		t.Error("a renewal began a session:", err)
	}
	_, first, _ := open(p.aKey, p.b, firstPrologue, [32]byte{}, fresh())
	if _, _, err := b.AnswerRenewal(first); !errors.Is(err, ErrForged) {
		t.Error("a first message renewed a session:", err)
	}
}
