// The book as a whole: its bytes and its gateways.

package book

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"nightjar/node/card"
	"nightjar/node/talk"
)

// version is the first byte of an encoded book.
const version = 1

// Limits of a book.
const (
	MaxContacts = 128 // as many as there are client keys on one onion service; who asks is extra
	MaxGateways = 32  // of each kind
	maxRefused  = 256
	maxNodes    = 64
	maxCards    = 32 // each is an inbox to be watched
	maxBlocked  = 1024
	maxRelays   = 16
	maxBridges  = 32
)

// Errors a caller can act on.
var (
	ErrVersion   = errors.New("book was written by another version")
	ErrDamaged   = errors.New("book is damaged")
	ErrFull      = errors.New("book is full of unsent and unread messages")
	ErrName      = errors.New("a contact's name is 1 to 32 of a-z, 0-9 and -")
	ErrNameTaken = errors.New("another contact has this name")
	ErrTwice     = errors.New("this person is a contact already")
	ErrTooMany   = errors.New("no room for another contact")
	ErrAsking    = errors.New("too many wait for an answer")
	ErrCards     = errors.New("too many cards are out")
	ErrUnread    = errors.New("too much from this contact is unread")
	ErrState     = errors.New("the contact is not waiting for an answer")
)

// A Missing is an error: what was named is not in the book.
type Missing string

// Error says what is missing.
func (m Missing) Error() string { return string(m) }

// What can be missing.
const (
	ErrUnknown   Missing = "no such contact"
	ErrNoCard    Missing = "no card with this number is out"
	ErrNoGateway Missing = "no such gateway is known"
	ErrBridge    Missing = "no such bridge is known"
)

// Book is everything one identity remembers.
type Book struct {
	Name     string           `cbor:"0,keyasint,omitempty"` // what our cards call us; may be empty
	Cards    []Issued         `cbor:"1,keyasint,omitempty"`
	Contacts []Contact        `cbor:"2,keyasint,omitempty"`
	Messages []Entry          `cbor:"3,keyasint,omitempty"`
	Gateways []card.Gateway   `cbor:"4,keyasint,omitempty"`  // given by the user; in our cards
	Refused  [][16]byte       `cbor:"5,keyasint,omitempty"`  // invitations dealt with, see Settle
	Service  uint32           `cbor:"6,keyasint,omitempty"`  // generation of our onion service
	PathData []byte           `cbor:"7,keyasint,omitempty"`  // the path's: tor's guards
	Nodes    []netip.AddrPort `cbor:"8,keyasint,omitempty"`  // DHT nodes from cards
	Learned  []card.Gateway   `cbor:"9,keyasint,omitempty"`  // from others' cards; not in ours
	Open     bool             `cbor:"10,keyasint,omitempty"` // who knows only our address may ask
	Blocked  [][16]byte       `cbor:"11,keyasint,omitempty"` // addresses that may not ask: Block
	Atlas    []byte           `cbor:"12,keyasint,omitempty"` // DHT nodes that answered: meet/atlas
	Relays   []string         `cbor:"13,keyasint,omitempty"` // pkarr relays the user gave
	Bridges  []string         `cbor:"14,keyasint,omitempty"` // tor bridge lines the user gave
	Entry    string           `cbor:"15,keyasint,omitempty"` // the bridge that worked last, or ""
	Hidden   bool             `cbor:"16,keyasint,omitempty"` // enter by bridges and no other way
	Lent     []string         `cbor:"17,keyasint,omitempty"` // relays others named; not in ours
	Way      string           `cbor:"18,keyasint,omitempty"` // out, its kind: "tor"; "" before any
	Proven   []card.Gateway   `cbor:"19,keyasint,omitempty"` // of Learned: answered at times apart
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
			won += e.size()
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

// size is about how many bytes the message takes.
func (e Entry) size() int { return len(e.Message.Text) + 48 }

// AddGateway remembers a gateway the user gave; beyond MaxGateways the oldest is forgotten.
func (b *Book) AddGateway(g card.Gateway) {
	b.Learned = slices.DeleteFunc(b.Learned, func(l card.Gateway) bool { return l == g })
	b.Gateways = remember(b.Gateways, g, MaxGateways)
}

// Roads lists every gateway we may use.
func (b *Book) Roads() []card.Gateway { return slices.Concat(b.Gateways, b.Learned) }

// AddRelay remembers a pkarr relay the user gave; beyond 16 the oldest is forgotten.
func (b *Book) AddRelay(url string) {
	b.Lent = slices.DeleteFunc(b.Lent, func(l string) bool { return l == url })
	b.Relays = remember(b.Relays, url, maxRelays)
}

// Walkers lists every pkarr relay we may use.
func (b *Book) Walkers() []string { return slices.Concat(b.Relays, b.Lent) }

// AddNode remembers a DHT node once; beyond 64 the oldest is forgotten.
func (b *Book) AddNode(a netip.AddrPort) { b.Nodes = remember(b.Nodes, a, maxNodes) }

// remember appends what is new to a list, and forgets the oldest beyond its limit.
func remember[T comparable](list []T, v T, limit int) []T {
	if slices.Contains(list, v) {
		return list
	}
	list = append(list, v)
	return list[max(0, len(list)-limit):]
}
