// Package card holds what people hand to each other so that they can meet: an Address, a Card, and
// the Invitation that answers a card. It is pure: no clock, no network, no disk, no goroutine.
//
// It does not know how keys are kept (it is handed a sign function and an ecdh.KeyExchanger), how a
// sealed invitation travels, or whether a card was revoked.
//
// Address, 35 bytes, written as 56 characters of lower case base32 without padding:
//
//	offset size
//	0      1    version, 1
//	1      32   Ed25519 public key (RFC 8032)
//	33     2    first bytes of SHA-256("nightjar address" | version | key)
//
// Card, at most MaxCard bytes, written "nightjar:" and lower case base32 without padding:
//
//	offset size
//	0      1    version, 1
//	1      n    body, deterministic CBOR (RFC 8949 section 4.2.1), a map with integer keys
//	1+n    64   Ed25519 signature of "nightjar card v1\x00" | version | body
//	65+n   4    first bytes of SHA-256 of everything before
//
// The checksum comes last in every version, so that a slip of the pen reads as damage, not as a
// forgery or as a card from the future.
//
// Sealed invitation, SealedSize bytes, nothing in it readable without the recipient's key and the
// inbox secret:
//
//	offset size
//	0      32   HPKE encapsulated key (RFC 9180, DHKEM(X25519, HKDF-SHA256))
//	32     528  ChaCha20-Poly1305: length 2 | body n | signature 64 | zeros
//	560    16   its tag
package card

import "errors"

// Bounds, in bytes.
const (
	MaxName     = 64   // of a name, UTF-8
	MaxGreeting = 200  // of a greeting, UTF-8
	MaxCard     = 2048 // of a card before base32; fits one QR code
	SealedSize  = 576  // of every sealed invitation
)

var (
	// ErrCard: the text is no card, or a character of it is missing or wrong.
	ErrCard = errors.New("not a card, or damaged")
	// ErrVersion: the card or address is whole, but of a version this program cannot read.
	ErrVersion = errors.New("made by another version")
	// ErrSignature: the card or invitation is whole, but its owner did not sign it.
	ErrSignature = errors.New("signature does not match")
	// ErrSize: more than fits a card, or more text than a card can be.
	ErrSize = errors.New("too large")
	// ErrAddress: the text or key is no address, or a character of it is wrong.
	ErrAddress = errors.New("not an address")
	// ErrText: a name or greeting is too long, not UTF-8, or holds control characters.
	ErrText = errors.New("not plain short text")
	// ErrRelay: the text is not the URL of a pkarr relay.
	ErrRelay = errors.New("not the address of a pkarr relay")
	// ErrReach: a reach record names no onion service, or holds what no record may hold.
	ErrReach = errors.New("not a reach record")
	// ErrInvitation: the bytes are no invitation sealed to this key and this inbox.
	ErrInvitation = errors.New("not an invitation for this inbox")
)
