// Key derivation. Every secret comes from HKDF-SHA256 with an info text that names its one use.

package handshake

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"

	"nightjar/tunnel/record"

	"github.com/flynn/noise"
)

// The info texts and prologues. Their first words are the protocol and its version.
const (
	labelFirst  = "nightjar tunnel 1 outer first"  // | epoch 8 | initiator 32 | responder 32
	labelAnswer = "nightjar tunnel 1 outer answer" // | the same | nonce of the first message 24
	labelPSK    = "nightjar tunnel 1 psk2"         // | SHA-256(encapsulation key | ciphertext)
	labelToward = "nightjar tunnel 1 records of the initiator"
	labelBack   = "nightjar tunnel 1 records of the responder"
	labelChain  = "nightjar tunnel 1 chain"
	labelExport = "nightjar tunnel 1 export"
	labelFresh  = "nightjar tunnel 1 session"
	labelRenew  = "nightjar tunnel 1 renewal" // | binding of the session that is renewed
)

// firstPrologue opens a session that follows no other.
var firstPrologue = []byte(labelFresh)

func (s *Session) renewPrologue() []byte {
	return append([]byte(labelRenew), s.Binding[:]...)
}

// A deriver is HKDF-Expand-SHA256 (RFC 5869) from one secret, for outputs of one block, 32 bytes.
type deriver struct {
	mac hash.Hash
	buf []byte // used again, because each allocation costs where erasing is on
}

// extract is HKDF-Extract, then a deriver of what it gives.
func extract(salt []byte, secret ...[]byte) *deriver {
	all := slices.Concat(secret...)
	defer clear(all)
	prk, err := hkdf.Extract(sha256.New, all, salt)
	if err != nil {
		panic("handshake: hkdf: " + err.Error()) // of FIPS mode only
	}
	return expand(prk)
}

// expand derives from a secret that is uniformly random as it is.
func expand(secret []byte) *deriver {
	return &deriver{hmac.New(sha256.New, secret), make([]byte, 0, 192)}
}

// key is the output for the info text that the parts make together.
func (d *deriver) key(label string, info ...[]byte) (key [32]byte) {
	d.buf = append(d.buf[:0], label...)
	for _, part := range info {
		d.buf = append(d.buf, part...)
	}
	d.buf = append(d.buf, 1) // the number of the block
	d.mac.Reset()
	d.mac.Write(d.buf)
	copy(key[:], d.mac.Sum(d.buf[:0]))
	return key
}

// A link names one direction of asking between two contacts in one epoch: what the outer keys
// depend on, so that a message opens for its one receiver, in its own role and epoch only.
type link struct {
	epoch                uint64
	initiator, responder [32]byte
}

// first is the outer key of the first message; from derives from the root.
func (l link) first(from *deriver) [32]byte {
	return from.key(labelFirst, l.epochBytes(), l.initiator[:], l.responder[:])
}

// answer is the outer key of the answer to one first message and no other.
func (l link) answer(from *deriver, first []byte) [32]byte {
	return from.key(labelAnswer, l.epochBytes(), l.initiator[:], l.responder[:], first[:nonceSize])
}

func (l link) epochBytes() []byte { return binary.BigEndian.AppendUint64(nil, l.epoch) }

// mixPSK is the pre-shared key of Noise message 2: who breaks X25519 lacks the KEM secret, who
// breaks the KEM lacks X25519, and who stole one session's keys lacks the chain of the next.
func mixPSK(shared []byte, contact, chain [32]byte, public, ciphertext []byte) [32]byte {
	h := sha256.New()
	h.Write(public)
	h.Write(ciphertext)
	return extract(nil, shared, contact[:], chain[:]).key(labelPSK, h.Sum(nil))
}

// newSession turns Noise's two keys into the lanes and the chain and keeps neither of the two.
// toward seals what the initiator sends, back what the responder sends.
func newSession(k Key, p Peer, binding []byte, toward, back *noise.CipherState, initiator bool) (
	*Session, error) {
	one, two := toward.UnsafeKey(), back.UnsafeKey()
	from := extract(binding, one[:], two[:])
	s := &Session{Peer: p.Static, Binding: [32]byte(binding), Initiator: initiator, key: k, peer: p}
	s.chain = from.key(labelChain)
	s.export = from.key(labelExport)
	there, err := newLane(from.key(labelToward))
	if err != nil {
		return nil, err
	}
	here, err := newLane(from.key(labelBack))
	if err != nil {
		return nil, err
	}
	if s.Send, s.Receive = here, there; initiator {
		s.Send, s.Receive = there, here
	}
	return s, nil
}

func newLane(key [32]byte) (*record.Lane, error) { return record.NewLane(key[:]) }
