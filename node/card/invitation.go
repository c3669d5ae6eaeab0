// An invitation: what the holder of a card sends to its owner, signed inside and sealed outside.

package card

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
)

const invitationDomain = "nightjar invitation v1\x00"

// An Invitation asks the owner of a card to become a contact.
type Invitation struct {
	From     Address
	Name     string   // suggestion for a petname, at most MaxName bytes
	Greeting string   // plain text, at most MaxGreeting bytes; shown escaped
	PSK      [32]byte // contact PSK: fresh random bytes, mixed into every later handshake
	Reach    Reach    // where From can be called
}

// invitationBody is Invitation on the wire.
type invitationBody struct {
	From     [32]byte  `cbor:"1,keyasint"`
	Name     string    `cbor:"2,keyasint,omitempty"`
	Greeting string    `cbor:"3,keyasint,omitempty"`
	PSK      [32]byte  `cbor:"4,keyasint"`
	Reach    reachBody `cbor:"5,keyasint"`
}

// Seal returns SealedSize bytes that only the owner of to can open, and only who has the inbox
// secret could have made. toAgreement is the X25519 form of to; sign must belong to i.From (else
// ErrSignature). It returns ErrText or ErrReach when a field cannot be in an invitation.
func (i *Invitation) Seal(to Address, toAgreement, inbox [32]byte,
	sign func([]byte) ([64]byte, error)) ([]byte, error) {
	if !plain(i.Name, MaxName) || !plain(i.Greeting, MaxGreeting) {
		return nil, ErrText
	}
	reach, err := i.Reach.body()
	if err != nil {
		return nil, err
	}
	body := marshal(invitationBody{i.From, i.Name, i.Greeting, i.PSK, reach})
	sig, err := sign(invitationBytes(to, body))
	if err != nil {
		return nil, err
	}
	if !ed25519.Verify(i.From[:], invitationBytes(to, body), sig[:]) {
		return nil, ErrSignature
	}
	plaintext := make([]byte, plainSize)
	defer clear(plaintext)
	defer clear(body)
	binary.BigEndian.PutUint16(plaintext, uint16(len(body)))
	copy(plaintext[2+copy(plaintext[2:], body):], sig[:])
	return seal(toAgreement, inbox, plaintext)
}

// OpenInvitation opens what Seal made for self. key is the X25519 form of self's identity key. It
// returns ErrInvitation for everything that is no invitation to self and this inbox, and
// ErrSignature when the sender named in it did not sign it for self.
func OpenInvitation(sealed []byte, key ecdh.KeyExchanger, self Address,
	inbox [32]byte) (*Invitation, error) {
	plaintext, err := open(sealed, key, inbox)
	if err != nil {
		return nil, err
	}
	defer clear(plaintext)
	return parseInvitation(plaintext, self)
}

func parseInvitation(plaintext []byte, self Address) (*Invitation, error) {
	if len(plaintext) != plainSize {
		return nil, ErrInvitation
	}
	n := int(binary.BigEndian.Uint16(plaintext))
	if 2+n+ed25519.SignatureSize > plainSize {
		return nil, ErrInvitation
	}
	body, rest := plaintext[2:2+n], plaintext[2+n:]
	var w invitationBody
	if !unmarshal(body, &w) || !zeros(rest[ed25519.SignatureSize:]) {
		return nil, ErrInvitation
	}
	i := &Invitation{From: w.From, Name: w.Name, Greeting: w.Greeting, PSK: w.PSK}
	if !plain(i.Name, MaxName) || !plain(i.Greeting, MaxGreeting) ||
		i.From.check() != nil || i.Reach.set(w.Reach) != nil {
		return nil, ErrInvitation
	}
	sig := rest[:ed25519.SignatureSize]
	if !ed25519.Verify(i.From[:], invitationBytes(self, body), sig) {
		return nil, ErrSignature
	}
	return i, nil
}

// invitationBytes is what the sender signs: it names the recipient, so that the recipient cannot
// pass the invitation on as if it were meant for another.
func invitationBytes(to Address, body []byte) []byte {
	b := append([]byte(invitationDomain), to[:]...)
	return append(b, body...)
}

func zeros(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
