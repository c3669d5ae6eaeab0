// Key derivation. Every secret comes from HKDF-SHA256 with an info text that names its one use.

package handshake

import (
	"crypto/sha256"
	"encoding/binary"

	"nightjar/tunnel/mark"
	"nightjar/tunnel/record"

	"github.com/flynn/noise"
)

// The info texts and prologues. Their first words are the protocol and its version.
const (
	labelMark   = "nightjar tunnel 2 outer mark"   // | epoch 8 | initiator 32 | responder 32
	labelFirst  = "nightjar tunnel 2 outer first"  // | the same
	labelAnswer = "nightjar tunnel 2 outer answer" // | the same | nonce of the first message 24
	labelPSK    = "nightjar tunnel 2 psk2"         // | SHA-256(encapsulation key | ciphertext)
	labelToward = "nightjar tunnel 2 records of the initiator"
	labelBack   = "nightjar tunnel 2 records of the responder"
	labelChain  = "nightjar tunnel 2 chain"
	labelExport = "nightjar tunnel 2 export"
	labelFresh  = "nightjar tunnel 2 session"
	labelRenew  = "nightjar tunnel 2 renewal" // | binding of the session that is renewed
)

// firstPrologue opens a session that follows no other.
var firstPrologue = []byte(labelFresh)

func (s *Session) renewPrologue() []byte {
	return append([]byte(labelRenew), s.Binding[:]...)
}

// A deriver is HKDF-Expand-SHA256 (RFC 5869) from one secret, for outputs of one block, 32 bytes.
type deriver [32]byte

// extract is HKDF-Extract, then a deriver of what it gives.
func extract(salt []byte, secret ...[]byte) deriver { return deriver(keyed(salt, secret...)) }

// key is the output for the info text that the parts make together.
func (d *deriver) key(label string, info ...[]byte) [32]byte {
	var room [160]byte
	text := append(room[:0], label...)
	for _, part := range info {
		text = append(text, part...)
	}
	return keyed(d[:], append(text, 1)) // the number of the block
}

// keyed is HMAC-SHA256 (RFC 2104) of the parts together under a key of at most 64 bytes. Unlike
// crypto/hmac it allocates nothing unless the parts are long: where erasing is on, to allocate is
// the larger part of the cost.
func keyed(key []byte, parts ...[]byte) [32]byte {
	var room [sha256.BlockSize + 192]byte
	inner := room[:sha256.BlockSize]
	copy(inner, key)
	outer := [sha256.BlockSize + sha256.Size]byte(room[:])
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	for _, part := range parts {
		inner = append(inner, part...)
	}
	sum := sha256.Sum256(inner)
	copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:])
}

// A link names one direction of asking between two contacts in one epoch: what the outer keys
// depend on, so that a message opens for its one receiver, in its own role and epoch only.
type link struct {
	epoch                uint64
	initiator, responder [32]byte
}

// mark is the key of the marks that first messages bear; from derives from the root.
func (l link) mark(from *deriver) mark.Key {
	epoch := l.epochBytes()
	return mark.NewKey(from.key(labelMark, epoch[:], l.initiator[:], l.responder[:]))
}

// first is the outer key of the first message.
func (l link) first(from *deriver) [32]byte {
	epoch := l.epochBytes()
	return from.key(labelFirst, epoch[:], l.initiator[:], l.responder[:])
}

// answer is the outer key of the answer to one first message and no other.
func (l link) answer(from *deriver, first []byte) [32]byte {
	epoch := l.epochBytes()
	return from.key(labelAnswer, epoch[:], l.initiator[:], l.responder[:], first[:nonceSize])
}

func (l link) epochBytes() (b [8]byte) {
	binary.BigEndian.PutUint64(b[:], l.epoch)
	return b
}

// mixPSK is the pre-shared key of Noise message 2: who breaks X25519 lacks the KEM secret, who
// breaks the KEM lacks X25519, and who stole one session's keys lacks the chain of the next.
func mixPSK(shared []byte, contact, chain [32]byte, public, ciphertext []byte) [32]byte {
	h := sha256.New()
	h.Write(public)
	h.Write(ciphertext)
	var sum [sha256.Size]byte
	from := extract(nil, shared, contact[:], chain[:])
	return from.key(labelPSK, h.Sum(sum[:0]))
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
