// Package handshake makes a session out of two contacts who know each other: Noise KKpsk2 joined
// with ML-KEM-768, under an outer layer that only the two can open. It is pure: no carrier, no
// clock, no goroutine; it is given messages and an epoch and returns messages and sessions.
//
// A first message and its answer are 1494 bytes each on the wire (three records), random-looking:
//
//	0      16  random
//	16      8  of a first message its mark (package mark), of an answer random
//	24   1454  sealed (XChaCha20-Poly1305): Noise message, then zeros
//	1478   16  tag
//
//	Noise message 1, 1232 bytes:  e 32 | ML-KEM-768 encapsulation key 1184, sealed | tag 16
//	Noise message 2, 1136 bytes:  ML-KEM-768 ciphertext 1088 | e 32 | tag 16
//
// A renewal is the same pair of Noise messages without the outer layer, carried in records of the
// session it renews and bound to it. The key derivation stands in keys.go.
package handshake

import (
	"errors"

	"nightjar/tunnel/record"
)

// Sizes in bytes.
const (
	Size        = 3 * record.Size // a first message or its answer on the wire
	RenewSize   = 1232            // Noise message 1, which asks for a renewal
	RenewedSize = 1136            // Noise message 2, which completes it
)

// Errors. None of them tells a stranger anything: the caller stays silent on each.
var (
	ErrStranger = errors.New("no contact sealed this message")
	ErrReplay   = errors.New("first message was seen before")
	ErrForged   = errors.New("handshake message does not authenticate")
)

// A Key is the static key pair of this side behind a handle; the private half never comes here.
type Key interface {
	// AgreementKey returns the public X25519 key.
	AgreementKey() [32]byte
	// Agree returns X25519 of the private key and peer, and fails for low-order points.
	Agree(peer [32]byte) ([32]byte, error)
}

// A Peer is what this side knows of a contact.
type Peer struct {
	Static [32]byte // X25519 public key
	Root   [32]byte // secret of the pair, keys the outer layer
	PSK    [32]byte // secret of the pair, mixed into every session
}

// A Session is a completed handshake: two lanes for records and what the next renewal needs.
type Session struct {
	Peer      [32]byte // static key of the far side
	Binding   [32]byte // Noise handshake hash, equal on both sides and unique to the session
	Initiator bool
	Send      *record.Lane
	Receive   *record.Lane

	key    Key
	peer   Peer // without Root
	chain  [32]byte
	export [32]byte
}

// Export derives a secret of this session for the one use that label names. It is equal on both
// sides. What carries packets instead of records makes its keys with it.
func (s *Session) Export(label string) (key [32]byte) {
	record.Erasing(func() { key = (*deriver)(&s.export).key(label) })
	return key
}

// An Initiation is a handshake of which the first message has been made.
type Initiation struct {
	opening *opening
	answer  [32]byte // outer key of the answer
}

// Start makes the first message of a session with p.
func Start(k Key, p Peer, epoch uint64) (*Initiation, []byte, error) {
	return start(k, p, epoch, fresh())
}

func start(k Key, p Peer, epoch uint64, from chance) (in *Initiation, wire []byte, err error) {
	record.Erasing(func() {
		var o *opening
		var message []byte
		if o, message, err = open(k, p, firstPrologue, [32]byte{}, from); err != nil {
			return
		}
		l := link{epoch: epoch, initiator: k.AgreementKey(), responder: p.Static}
		root := deriver(p.Root)
		wire = l.sealFirst(&root, message, from)
		in = &Initiation{opening: o, answer: l.answer(&root, wire)}
	})
	return in, wire, err
}

// Finish reads the answer. On ErrStranger and ErrForged the initiation is unharmed: the genuine
// answer, if it still comes, completes it.
func (in *Initiation) Finish(wire []byte) (s *Session, err error) {
	record.Erasing(func() {
		message, ok := openOuter(in.answer, wire, RenewedSize)
		if !ok {
			err = ErrStranger
			return
		}
		s, err = in.opening.finish(message)
	})
	return s, err
}

// Answer finds which of peers sealed the first message and completes the handshake with it. It
// knows them by their marks, in the current epoch and its two neighbours, before any
// Diffie-Hellman; seen refuses what was answered before. The session is not to be used for sending
// until a record of the far side has opened: only that shows that the caller is alive and holds its
// static key.
func Answer(k Key, peers []Peer, epoch uint64, seen *Memory, wire []byte) (
	*Session, []byte, error) {
	return answer(k, peers, epoch, seen, wire, fresh())
}

func answer(k Key, peers []Peer, epoch uint64, seen *Memory, wire []byte, from chance) (
	s *Session, reply []byte, err error) {
	record.Erasing(func() {
		f := seen.find(k.AgreementKey(), peers, epoch, wire)
		if f == nil {
			err = ErrStranger
			return
		}
		if !seen.admit(epoch, f.epoch, f.key, wire) {
			err = ErrReplay
			return
		}
		var m2 []byte
		s, m2, err = reply2(k, f.peer, firstPrologue, [32]byte{}, f.message, from)
		if err == nil {
			reply = f.sealAnswer(&f.root, wire, m2, from)
		}
	})
	return s, reply, err
}

// A Renewal is a renewal of which the asking message has been made.
type Renewal struct{ opening *opening }

// Renew makes the message, RenewSize bytes, that asks for new keys. Only the session's initiator
// renews, so that two renewals never cross.
func (s *Session) Renew() (r *Renewal, message []byte, err error) {
	return s.renew(fresh())
}

func (s *Session) renew(from chance) (r *Renewal, message []byte, err error) {
	record.Erasing(func() {
		var o *opening
		o, message, err = open(s.key, s.peer, s.renewPrologue(), s.chain, from)
		r = &Renewal{o}
	})
	return r, message, err
}

// AnswerRenewal reads the asking message and makes its answer, RenewedSize bytes, with the session
// that follows this one.
func (s *Session) AnswerRenewal(message []byte) (next *Session, reply []byte, err error) {
	return s.answerRenewal(message, fresh())
}

func (s *Session) answerRenewal(message []byte, from chance) (next *Session, m2 []byte, err error) {
	record.Erasing(func() {
		next, m2, err = reply2(s.key, s.peer, s.renewPrologue(), s.chain, message, from)
	})
	return next, m2, err
}

// Finish reads the answer and returns the session that follows.
func (r *Renewal) Finish(message []byte) (next *Session, err error) {
	record.Erasing(func() { next, err = r.opening.finish(message) })
	return next, err
}
