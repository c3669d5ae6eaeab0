// Package packet holds what crosses a datagram carrier once a session stands: sealed packets of
// few sizes, found by a session id and opened by the number they carry. It knows nothing of where
// keys come from, of clocks or of carriers.
//
// On the wire a packet is 256, 512, 768, 1024 or 1232 bytes, random-looking throughout:
//
//	0      8  id that the receiver knows the sender's keys by
//	8      8  number, masked
//	16     n  sealed body and zeros (ChaCha20-Poly1305, nonce = 4 zero bytes | number)
//	16+n  16  tag
//
// The number, big endian, says everything that is not body:
//
//	bits 63-59  kind
//	bits 58-48  length of the body; zeros fill the rest
//	bits 47-0   counter: one more for each packet under these keys
//
// The mask is the first 8 bytes of AES-256 of the packet's tag, as QUIC masks its numbers (RFC
// 9001, section 5.4). The number is authentic because it is the nonce. Where the processor has no
// AES of its own, a cache attack on the mask could tell counters, and nothing else.
package packet

import (
	"encoding/binary"
	"errors"
)

// Sizes in bytes.
const (
	IDSize     = 8
	numberSize = 8
	headerSize = IDSize + numberSize
	tagSize    = 16
	Overhead   = headerSize + tagSize
	Largest    = 1232               // a packet, what every IPv6 path carries in UDP
	MaxBody    = Largest - Overhead // the longest body: a QUIC packet of the least size, 1200
	ClockSize  = 512                // every packet while a call's clock runs
)

// sizes are those that a packet may have.
var sizes = [...]int{256, ClockSize, 768, 1024, Largest}

// ErrForged: these bytes are no packet of this session, or one that has come before.
var ErrForged = errors.New("packet does not authenticate")

// ErrWorn: these keys have sealed their last packet; the session must end.
var ErrWorn = errors.New("keys have sealed their last packet")

// A Kind tells what a packet's body is.
type Kind uint8

// The kinds of packet.
const (
	Padding  Kind = iota // no body
	Datagram             // one datagram of the session's user
	Stream               // one QUIC packet
	Control              // a row of frames
	kinds
)

// A Number is what a packet says of itself.
type Number struct {
	Kind   Kind
	Length int    // of the body, at most 2047
	Count  uint64 // at most 2^48 - 1
}

func (n Number) encode() uint64 {
	return uint64(n.Kind)<<59 | uint64(n.Length)<<48 | n.Count
}

func decode(v uint64) Number {
	return Number{Kind(v >> 59), int(v >> 48 & 0x7ff), v & (1<<48 - 1)}
}

// Fit is the least size of a packet that holds a body of n bytes, or 0 if none does.
func Fit(n int) int {
	for _, size := range sizes {
		if n+Overhead <= size {
			return size
		}
	}
	return 0
}

// Sized reports whether n bytes can be a packet.
func Sized(n int) bool {
	for _, size := range sizes {
		if n == size {
			return true
		}
	}
	return false
}

// ID reads the id of a packet, which must be at least IDSize bytes.
func ID(wire []byte) uint64 { return binary.LittleEndian.Uint64(wire) }
