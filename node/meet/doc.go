// Package meet lets two contacts find each other in the Mainline DHT while nobody else can see that
// they did: not the nodes that store, not the gateways that carry.
//
// Everything is stored in slots. A slot is an Ed25519 key that is derived from a secret and used
// for one epoch, one direction and one purpose; its item is of the same size whatever it holds, and
// is a valid pkarr packet. Two slots cannot be linked without the secret, nor their items read.
//
//	secret          slots
//	pair root       one per side, epoch of 6 h and replica: a reach record
//	inbox secret    eight per day: sealed invitations
//
// It does not know how packets travel (Carrier), who the contacts are, or how to wait: Due says
// when to publish, the caller does it.
//
// The value of a slot, 695 bytes, one DNS message (RFC 1035; pkarr's design/base.md):
//
//	offset size
//	0      12   header: id 0, flags 8000, 0 questions, 1 answer, 0, 0
//	12     54   name: the slot's key, z-base32, as one label of 52
//	66     10   type TXT, class IN, TTL 300, length 619
//	76     619  three strings of 255, 255 and 106 bytes with their length bytes:
//	            nonce 24 | XChaCha20-Poly1305 of the body, 576 | tag 16
//
// The body of a pair's slot is length 2 | card.Reach | zeros; that of an inbox slot is a sealed
// invitation.
package meet

import (
	"errors"

	"nightjar/node/meet/walk"
)

var (
	// ErrNotFound: nothing is stored there now; the contact may be away.
	ErrNotFound = walk.ErrNotFound
	// ErrNoNodes: the carrier gave no DHT nodes, or none of them answered.
	ErrNoNodes = walk.ErrNoNodes
	// ErrLost: the carrier's conn failed during the operation.
	ErrLost = walk.ErrLost
	// ErrTaken: another holder of the secret has blocked the slot until the epoch ends.
	ErrTaken = walk.ErrTaken
	// ErrFewStores: fewer than MinStores nodes took the item though more were there; it may be lost
	// soon. Publish again, through another gateway.
	ErrFewStores = errors.New("too few nodes stored it")
	// ErrRecord: what was to be stored does not fit a slot.
	ErrRecord = errors.New("not a record for a slot")
)

// MinStores is how many nodes must hold an item before it counts as stored, if there are so many.
const MinStores = 4

// IsQuery reports whether a packet is a DHT question as this package asks it, and nothing else. A
// gateway that checks it cannot be made to send anything else.
func IsQuery(packet []byte) bool { return walk.IsQuery(packet) }

// IsReply reports whether a packet is an answer as this package would accept it.
func IsReply(packet []byte) bool { return walk.IsReply(packet) }
