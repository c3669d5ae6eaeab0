// Package record holds what crosses a stream carrier once a session stands: sealed records, all of
// one size, and the frames inside them. It knows nothing of keys' origin, of clocks or of carriers.
//
// On the wire a record is 498 bytes, what one tor cell carries, and random-looking throughout:
//
//	0    482  sealed frames (ChaCha20-Poly1305, nonce = 4 zero bytes | counter, 8, little endian)
//	482   16  tag
//
// The counter is not on the wire: a stream carrier keeps the order. Inside, frames follow each
// other from byte 0 and zeros fill the rest:
//
//	0   1  kind (1 to 9; 0 means that only zeros follow)
//	1   2  length n of the body, big endian
//	3   n  body
package record

import (
	"encoding/binary"
	"errors"
)

// Sizes in bytes.
const (
	Size   = 498            // a record on the wire: the payload of one tor cell
	tag    = 16             // Poly1305
	Plain  = Size - tag     // the frames in one record, with their padding
	header = 3              // kind and length before each body
	room   = Plain - header // the longest body
)

// ErrFrame: the plaintext of a record is not a row of frames followed by zeros. It was sealed by
// the far side, so the far side is broken or hostile and the session must end.
var ErrFrame = errors.New("malformed record")

// A Kind tells what a frame's body is.
type Kind uint8

// The kinds of frame. Every body is described in package tunnel or mux, which read it.
const (
	padding  Kind = iota // only zeros follow
	Datagram             // one datagram, whole
	Renew                // next piece of a renewal message
	Switch               // no body: this direction's next record is under the new key
	Bye                  // no body: the sender has closed the session
	Open                 // id: a new stream
	Data                 // id, then bytes of the stream
	Finish               // id: the sender writes no more to the stream
	Stop                 // id: the sender reads no more from the stream
	Credit               // id, then how many bytes more the sender will take
	kinds
)

// A Frame is one unit inside a record. Body points into the record it was parsed from.
type Frame struct {
	Kind Kind
	Body []byte
}

// Append adds a frame to the plain bytes of a record. The caller has seen that there is room Left.
func Append(plain []byte, k Kind, body ...byte) []byte {
	return append(AppendHeader(plain, k, len(body)), body...)
}

// AppendHeader adds the header of a frame whose body, n bytes, the caller appends next.
func AppendHeader(plain []byte, k Kind, n int) []byte {
	return append(plain, byte(k), byte(n>>8), byte(n))
}

// Left is how long a body may be that still goes into plain; negative when not even an empty one.
func Left(plain []byte) int { return Plain - len(plain) - header }

// Parse appends the frames of one opened record to dst. It is total: any input that is not Plain
// bytes of known frames followed by zeros is ErrFrame, and every row of frames it returns gives
// the same bytes when appended again and padded with zeros.
func Parse(dst []Frame, plain []byte) ([]Frame, error) {
	if len(plain) != Plain {
		return dst, ErrFrame
	}
	for len(plain) > 0 && plain[0] != byte(padding) {
		if len(plain) < header || plain[0] >= byte(kinds) {
			return dst, ErrFrame
		}
		end := header + int(binary.BigEndian.Uint16(plain[1:]))
		if end > len(plain) {
			return dst, ErrFrame
		}
		dst = append(dst, Frame{Kind(plain[0]), plain[header:end]})
		plain = plain[end:]
	}
	for _, b := range plain {
		if b != 0 {
			return dst, ErrFrame
		}
	}
	return dst, nil
}
