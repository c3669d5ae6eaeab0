// Records on a talk stream, and their bytes.

package talk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// MaxRecord is the largest body of a record in bytes.
const MaxRecord = MaxText + 64

// ErrRecord is returned for bytes that are no record. A tunnel that carries one is closed: the
// far engine is broken or hostile.
var ErrRecord = errors.New("not a talk record")

// Kind says what a record is. Numbers are never reused.
type Kind uint8

// The kinds of records.
const (
	KindText    Kind = 1  // ID, Text: a message
	KindAck     Kind = 2  // ID: that message is safe in the far vault
	KindOffer   Kind = 3  // ID, Codecs: a call begins; ID names the call from here on
	KindRinging Kind = 4  // ID
	KindAnswer  Kind = 5  // ID, Codec
	KindHold    Kind = 6  // ID, On
	KindDTMF    Kind = 7  // ID, Digit
	KindEnd     Kind = 8  // ID, Reason
	KindLane    Kind = 9  // ID: first record of a second tunnel: it carries this call's audio
	KindMain    Kind = 10 // first record of a tunnel that carries messages and call records
	KindHint    Kind = 11 // Text: a bundle of gateways and DHT nodes (package bundle)
)

// Record is one thing said on a talk stream. Only the fields of its kind are set; a record
// with any other field set is refused.
type Record struct {
	Kind   Kind    `cbor:"0,keyasint"`
	ID     []byte  `cbor:"1,keyasint,omitempty"` // 16 bytes
	Text   string  `cbor:"2,keyasint,omitempty"`
	Codecs []Codec `cbor:"3,keyasint,omitempty"` // 1..8, known ones are used, others ignored
	Codec  Codec   `cbor:"4,keyasint,omitempty"`
	On     bool    `cbor:"5,keyasint,omitempty"`
	Digit  uint8   `cbor:"6,keyasint,omitempty"`
	Reason Reason  `cbor:"7,keyasint,omitempty"`
}

// Encode returns the body of r, deterministic CBOR. It refuses with ErrRecord what Decode
// would refuse.
func (r Record) Encode() ([]byte, error) {
	if !r.valid() {
		return nil, ErrRecord
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return mode.Marshal(r)
}

// Decode reads the body of a record. It accepts exactly what Encode makes.
func Decode(body []byte) (Record, error) {
	if len(body) == 0 || len(body) > MaxRecord {
		return Record{}, ErrRecord
	}
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden,
		TagsMd: cbor.TagsForbidden, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels: 4, MaxArrayElements: 16, MaxMapPairs: 16,
	}.DecMode()
	if err != nil {
		return Record{}, fmt.Errorf("decode record: %w", err)
	}
	var r Record
	if mode.Unmarshal(body, &r) != nil {
		return Record{}, ErrRecord
	}
	again, err := r.Encode()
	if err != nil || string(again) != string(body) {
		return Record{}, ErrRecord
	}
	return r, nil
}

// valid holds the law of each kind: its fields set and sound, every other field zero.
func (r Record) valid() bool {
	nameless := r.Kind == KindMain || r.Kind == KindHint
	if nameless != (len(r.ID) == 0) || len(r.ID) != 0 && len(r.ID) != len(ID{}) {
		return false
	}
	bare := Record{Kind: r.Kind, ID: r.ID}
	ok := true
	switch r.Kind {
	case KindText, KindHint:
		bare.Text, ok = r.Text, CheckText(r.Text) == nil
	case KindOffer:
		bare.Codecs, ok = r.Codecs, len(r.Codecs) > 0 && len(r.Codecs) <= 8
	case KindAnswer:
		bare.Codec, ok = r.Codec, r.Codec.Known()
	case KindHold:
		bare.On = r.On
	case KindDTMF:
		bare.Digit, ok = r.Digit, Digit(r.Digit)
	case KindEnd:
		bare.Reason, ok = r.Reason, r.Reason.Known()
	case KindAck, KindRinging, KindLane, KindMain:
	default:
		return false
	}
	return ok && r.same(bare)
}

// same compares the fields that have no slice by value, and the slices by length.
func (r Record) same(o Record) bool {
	return r.Text == o.Text && len(r.Codecs) == len(o.Codecs) && r.Codec == o.Codec &&
		r.On == o.On && r.Digit == o.Digit && r.Reason == o.Reason && utf8.ValidString(r.Text)
}

// WriteRecord writes r with its length to a talk stream.
func WriteRecord(w io.Writer, r Record) error {
	body, err := r.Encode()
	if err != nil {
		return err
	}
	frame := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(body)), uint16(len(body)))
	_, err = w.Write(append(frame, body...))
	return err
}

// ReadRecord reads the next record of a talk stream: ErrRecord for anything that is none, or
// the stream's own error.
func ReadRecord(rd io.Reader) (Record, error) {
	var head [2]byte
	if _, err := io.ReadFull(rd, head[:]); err != nil {
		return Record{}, err
	}
	n := binary.BigEndian.Uint16(head[:])
	if n == 0 || n > MaxRecord {
		return Record{}, ErrRecord
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(rd, body); err != nil {
		return Record{}, err
	}
	return Decode(body)
}
