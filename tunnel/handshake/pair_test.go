// What the tests of this package share: keys in the clear and contacts who use them.

package handshake

import (
	"bytes"
	"crypto/rand"
	"testing"

	"nightjar/tunnel/proof"
	"nightjar/tunnel/record"
)

const now = 80000 // the epoch of the tests

// A thief claims a public key without holding its private half.
type thief struct {
	*proof.Key
	claimed [32]byte
}

func (k thief) AgreementKey() [32]byte { return k.claimed }

// A pair is two contacts, each as the other knows it.
type pair struct {
	aKey, bKey *proof.Key
	a, b       Peer
	seen       *Memory // b's
}

func newPair(t testing.TB) *pair {
	p := &pair{aKey: proof.NewKey(t), bKey: proof.NewKey(t), seen: new(Memory)}
	var root, psk [32]byte
	rand.Read(root[:])
	rand.Read(psk[:])
	p.a = Peer{Static: p.aKey.AgreementKey(), Root: root, PSK: psk}
	p.b = Peer{Static: p.bKey.AgreementKey(), Root: root, PSK: psk}
	return p
}

func (p *pair) start(t testing.TB) (*Initiation, []byte) {
	t.Helper()
	in, wire, err := Start(p.aKey, p.b, now)
	if err != nil {
		t.Fatal(err)
	}
	return in, wire
}

func (p *pair) answer(wire []byte) (*Session, []byte, error) {
	return Answer(p.bKey, []Peer{p.a}, now, p.seen, wire)
}

// meet completes a handshake.
func (p *pair) meet(t testing.TB) (a, b *Session) {
	t.Helper()
	in, wire := p.start(t)
	b, reply, err := p.answer(wire)
	if err != nil {
		t.Fatal("answer:", err)
	}
	if a, err = in.Finish(reply); err != nil {
		t.Fatal("finish:", err)
	}
	return a, b
}

// renew completes a renewal.
func renew(t testing.TB, a, b *Session) (nextA, nextB *Session) {
	t.Helper()
	r, m1, err := a.Renew()
	if err != nil {
		t.Fatal(err)
	}
	nextB, m2, err := b.AnswerRenewal(m1)
	if err != nil {
		t.Fatal("answer renewal:", err)
	}
	if nextA, err = r.Finish(m2); err != nil {
		t.Fatal("finish renewal:", err)
	}
	return nextA, nextB
}

// seal makes one record that says text.
func seal(t testing.TB, l *record.Lane, text string) []byte {
	t.Helper()
	b, err := l.Seal(record.Append(make([]byte, 0, record.Size), record.Data, []byte(text)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// opens reports whether a lane opens a copy of a record.
func opens(l *record.Lane, sealed []byte) bool {
	_, err := l.Open(bytes.Clone(sealed))
	return err == nil
}

// talks fails unless two sessions understand each other both ways.
func talks(t testing.TB, a, b *Session) {
	t.Helper()
	if a.Binding != b.Binding || a.chain != b.chain || a.Initiator == b.Initiator {
		t.Error("two sides of different sessions")
	}
	if !opens(b.Receive, seal(t, a.Send, "there")) || !opens(a.Receive, seal(t, b.Send, "back")) {
		t.Error("the two do not understand each other")
	}
}

// outerKey is the outer key of a first message in the epoch of the tests.
func outerKey(root, initiator, responder [32]byte) [32]byte {
	return link{now, initiator, responder}.first((*deriver)(&root))
}

// resealed is a first message of the epoch of the tests, made of any Noise message.
func resealed(root, initiator, responder [32]byte, message []byte) []byte {
	return link{now, initiator, responder}.sealFirst((*deriver)(&root), message, fresh())
}

// onwardKey is the next key in a scheme that only hashes its keys onward.
func onwardKey(s *Session) [32]byte { return (*deriver)(&s.chain).key("onward") }
