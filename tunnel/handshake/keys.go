// Key derivation. Every secret comes from HKDF-SHA256 with an info text that names its one use.

package handshake

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"nightjar/tunnel/record"

	"github.com/flynn/noise"
)

// The info texts and prologues. Their first words are the protocol and its version.
const (
	labelFirst   = "nightjar tunnel 1 outer first"  // | epoch 8 | initiator 32 | responder 32
	labelAnswer  = "nightjar tunnel 1 outer answer" // | the same | nonce of the first message 24
	labelPSK     = "nightjar tunnel 1 psk2"         // | SHA-256(encapsulation key | ciphertext)
	labelRecords = "nightjar tunnel 1 records"
	labelChain   = "nightjar tunnel 1 chain"
	labelFresh   = "nightjar tunnel 1 session"
	labelRenew   = "nightjar tunnel 1 renewal" // | binding of the session that is renewed
)

// firstPrologue opens a session that follows no other.
var firstPrologue = []byte(labelFresh)

func (s *Session) renewPrologue() []byte {
	return append([]byte(labelRenew), s.Binding[:]...)
}

// derive is HKDF-SHA256 with 32 bytes of output, which cannot fail.
func derive(secret, salt []byte, info string) []byte {
	key, err := hkdf.Key(sha256.New, secret, salt, info, 32)
	if err != nil {
		panic("handshake: hkdf: " + err.Error())
	}
	return key
}

// A link names one direction of asking between two contacts in one epoch: what the outer keys
// depend on, so that a message opens for its one receiver, in its own role and epoch only.
type link struct {
	root                 [32]byte
	epoch                uint64
	initiator, responder [32]byte
}

func (l link) info(label string) []byte {
	b := binary.BigEndian.AppendUint64([]byte(label), l.epoch)
	return slices.Concat(b, l.initiator[:], l.responder[:])
}

// first is the outer key of the first message.
func (l link) first() [32]byte {
	return [32]byte(derive(l.root[:], nil, string(l.info(labelFirst))))
}

// answer is the outer key of the answer to one first message and no other.
func (l link) answer(first []byte) [32]byte {
	info := append(l.info(labelAnswer), first[:nonceSize]...)
	return [32]byte(derive(l.root[:], nil, string(info)))
}

// mixPSK is the pre-shared key of Noise message 2: who breaks X25519 lacks the KEM secret, who
// breaks the KEM lacks X25519, and who stole one session's keys lacks the chain of the next.
func mixPSK(shared []byte, contact, chain [32]byte, public, ciphertext []byte) []byte {
	h := sha256.New()
	h.Write(public)
	h.Write(ciphertext)
	secret := slices.Concat(shared, contact[:], chain[:])
	defer clear(secret)
	return derive(secret, nil, labelPSK+string(h.Sum(nil)))
}

// newSession turns Noise's two keys into the lanes and the chain and keeps neither of the two.
func newSession(k Key, p Peer, binding []byte, out, in *noise.CipherState, initiator bool) (
	*Session, error) {
	send, receive := out.UnsafeKey(), in.UnsafeKey()
	s := &Session{Peer: p.Static, Binding: [32]byte(binding), Initiator: initiator, key: k, peer: p}
	both := slices.Concat(send[:], receive[:])
	if !initiator {
		both = slices.Concat(receive[:], send[:])
	}
	s.chain = [32]byte(derive(both, binding, labelChain))
	var err error
	if s.Send, err = record.NewLane(derive(send[:], binding, labelRecords)); err != nil {
		return nil, err
	}
	s.Receive, err = record.NewLane(derive(receive[:], binding, labelRecords))
	clear(both)
	return s, err
}
