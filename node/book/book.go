// The book as a whole: its bytes, its cards and gateways.

package book

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"nightjar/node/card"
	"nightjar/node/talk"
)

// version is the first byte of an encoded book.
const version = 1

// Limits of a book.
const (
	MaxContacts = 128 // as many as there are client keys on one onion service
	MaxGateways = 32
	maxRefused  = 64
	maxNodes    = 64
)

// Errors a caller can act on.
var (
	ErrVersion   = errors.New("book was written by another version")
	ErrDamaged   = errors.New("book is damaged")
	ErrFull      = errors.New("book is full of unsent and unread messages")
	ErrUnknown   = errors.New("no such contact")
	ErrName      = errors.New("a contact's name is 1 to 32 of a-z, 0-9 and -")
	ErrNameTaken = errors.New("another contact has this name")
	ErrTwice     = errors.New("this person is a contact already")
	ErrTooMany   = errors.New("no room for another contact")
	ErrState     = errors.New("the contact is not waiting for an answer")
)

// Book is everything one identity remembers.
type Book struct {
	Name     string           `cbor:"0,keyasint,omitempty"` // what our cards call us; may be empty
	Cards    []Issued         `cbor:"1,keyasint,omitempty"`
	Contacts []Contact        `cbor:"2,keyasint,omitempty"`
	Messages []Entry          `cbor:"3,keyasint,omitempty"`
	Gateways []card.Gateway   `cbor:"4,keyasint,omitempty"`
	Refused  [][16]byte       `cbor:"5,keyasint,omitempty"` // invitations not to be shown again
	Service  uint32           `cbor:"6,keyasint,omitempty"` // generation of our onion service
	PathData []byte           `cbor:"7,keyasint,omitempty"` // the path's: tor's guards
	Nodes    []netip.AddrPort `cbor:"8,keyasint,omitempty"` // DHT nodes from cards
}

// Issued is a card we gave away. Whoever holds it can leave invitations in its inbox.
type Issued struct {
	Inbox   [32]byte  `cbor:"0,keyasint"`
	Expires time.Time `cbor:"1,keyasint"`
}

// Entry is a message and whom it is with.
type Entry struct {
	With    string       `cbor:"0,keyasint"` // the contact's name
	Message talk.Message `cbor:"1,keyasint"`
}

// Decode reads an encoded book; no bytes at all make an empty one.
func Decode(b []byte) (*Book, error) {
	if len(b) == 0 {
		return &Book{}, nil
	}
	if b[0] != version {
		return nil, ErrVersion
	}
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	}.DecMode()
	if err != nil {
		return nil, fmt.Errorf("decode book: %w", err)
	}
	bk := new(Book)
	if mode.Unmarshal(b[1:], bk) != nil {
		return nil, ErrDamaged
	}
	return bk, nil
}

// Encode returns the book in at most limit bytes. It first forgets finished messages, oldest
// first, as far as needed; ErrFull when that is not enough.
func (b *Book) Encode(limit int) ([]byte, error) {
	for {
		out, err := b.encode()
		if err != nil {
			return nil, err
		}
		if len(out) <= limit {
			return out, nil
		}
		if !b.forget(len(out) - limit) {
			return nil, ErrFull
		}
	}
}

func (b *Book) encode() ([]byte, error) {
	opts := cbor.CoreDetEncOptions()
	opts.Time = cbor.TimeUnix
	mode, err := opts.EncMode()
	if err != nil {
		return nil, fmt.Errorf("encode book: %w", err)
	}
	body, err := mode.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("encode book: %w", err)
	}
	return append([]byte{version}, body...), nil
}

// forget drops finished messages, oldest first, until about need bytes are won. It reports
// whether it dropped any.
func (b *Book) forget(need int) bool {
	kept, won := b.Messages[:0:0], 0
	for _, e := range b.Messages {
		if won < need && e.finished() {
			won += len(e.Message.Text) + 48
			continue
		}
		kept = append(kept, e)
	}
	dropped := len(kept) < len(b.Messages)
	b.Messages = kept
	return dropped
}

// finished reports whether nobody waits for this message any more.
func (e Entry) finished() bool {
	return e.Message.State == talk.Delivered || e.Message.State == talk.Read
}

// AddGateway remembers a gateway once; beyond MaxGateways the oldest is forgotten.
func (b *Book) AddGateway(g card.Gateway) {
	if slices.Contains(b.Gateways, g) {
		return
	}
	b.Gateways = append(b.Gateways, g)
	if len(b.Gateways) > MaxGateways {
		b.Gateways = b.Gateways[1:]
	}
}

// AddNode remembers a DHT node once; beyond 64 the oldest is forgotten.
func (b *Book) AddNode(a netip.AddrPort) {
	if slices.Contains(b.Nodes, a) {
		return
	}
	b.Nodes = append(b.Nodes, a)
	if len(b.Nodes) > maxNodes {
		b.Nodes = b.Nodes[1:]
	}
}

// Card returns the newest card that has not expired.
func (b *Book) Card(now time.Time) (Issued, bool) {
	for i := len(b.Cards) - 1; i >= 0; i-- {
		if now.Before(b.Cards[i].Expires) {
			return b.Cards[i], true
		}
	}
	return Issued{}, false
}

// Issue remembers a new card and forgets those that have expired.
func (b *Book) Issue(c Issued, now time.Time) {
	kept := b.Cards[:0:0]
	for _, old := range b.Cards {
		if now.Before(old.Expires) {
			kept = append(kept, old)
		}
	}
	b.Cards = append(kept, c)
}
