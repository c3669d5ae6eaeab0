// The frames of a Control packet: pieces of messages, their acknowledgement, the proof of an
// address, and the farewell.

package packet

import "encoding/binary"

// A Type tells what a frame is.
type Type uint8

// The types of frame, big endian:
//
//	1 Chunk      channel 1 | sequence 4 | last 1 | length 2 | bytes
//	2 Ack        channel 1 | next 4 | beyond 8, bit i for next+1+i
//	3 Challenge  token 8
//	4 Response   token 8
//	5 Bye        empty
//	6 Data       length 2 | one datagram of the session's user
const (
	Chunk Type = iota + 1
	Ack
	Challenge
	Response
	Bye
	Data
)

const (
	chunkHeader = 1 + 1 + 4 + 1 + 2
	ackSize     = 1 + 1 + 4 + 8
	tokenSize   = 1 + 8
	dataHeader  = 1 + 2

	// MaxChunk is how many bytes a Chunk holds at most: such a frame fits a packet of ClockSize.
	MaxChunk = ClockSize - Overhead - chunkHeader

	// Channels is how many rows of messages there are, each with its own sequence.
	Channels = 2
)

// A Frame is one unit of a Control packet. Which fields count depends on the type.
type Frame struct {
	Type     Type
	Channel  uint8
	Sequence uint32 // Chunk: its place; Ack: the next that is missing
	Last     bool   // Chunk: it ends a message
	Beyond   uint64 // Ack: what has come after the missing one
	Token    uint64 // Challenge, Response
	Body     []byte // Chunk, Data: points into what was parsed
}

// Size is how many bytes Append adds.
func (f Frame) Size() int {
	switch f.Type {
	case Chunk:
		return chunkHeader + len(f.Body)
	case Ack:
		return ackSize
	case Challenge, Response:
		return tokenSize
	case Data:
		return dataHeader + len(f.Body)
	}
	return 1
}

// Append adds the frame to the body of a packet.
func (f Frame) Append(b []byte) []byte {
	b = append(b, byte(f.Type))
	switch f.Type {
	case Chunk:
		b = binary.BigEndian.AppendUint32(append(b, f.Channel), f.Sequence)
		last := byte(0)
		if f.Last {
			last = 1
		}
		b = binary.BigEndian.AppendUint16(append(b, last), uint16(len(f.Body)))
		b = append(b, f.Body...)
	case Ack:
		b = binary.BigEndian.AppendUint32(append(b, f.Channel), f.Sequence)
		b = binary.BigEndian.AppendUint64(b, f.Beyond)
	case Challenge, Response:
		b = binary.BigEndian.AppendUint64(b, f.Token)
	case Data:
		b = binary.BigEndian.AppendUint16(b, uint16(len(f.Body)))
		b = append(b, f.Body...)
	}
	return b
}

// Next parses the first frame of b, and returns what follows it. It is total; ok is false for
// anything that Append does not make, after which the rest of the packet is not to be read.
func Next(b []byte) (f Frame, rest []byte, ok bool) {
	if len(b) == 0 {
		return f, nil, false
	}
	f.Type = Type(b[0])
	switch {
	case f.Type == Chunk && len(b) >= chunkHeader:
		ok = f.chunk(b)
	case f.Type == Ack && len(b) >= ackSize:
		f.Channel, f.Sequence = b[1], binary.BigEndian.Uint32(b[2:])
		f.Beyond = binary.BigEndian.Uint64(b[6:])
		ok = f.Channel < Channels
	case (f.Type == Challenge || f.Type == Response) && len(b) >= tokenSize:
		f.Token, ok = binary.BigEndian.Uint64(b[1:]), true
	case f.Type == Data && len(b) >= dataHeader:
		f.Body, ok = body(b[1:], MaxBody)
	case f.Type == Bye:
		ok = true
	}
	if !ok {
		return f, nil, false
	}
	return f, b[f.Size():], true
}

// chunk reads the fields of a Chunk.
func (f *Frame) chunk(b []byte) (ok bool) {
	f.Channel, f.Sequence = b[1], binary.BigEndian.Uint32(b[2:])
	f.Last = b[6] == 1
	f.Body, ok = body(b[7:], MaxChunk)
	return ok && f.Channel < Channels && b[6] <= 1
}

// body reads a length and as many bytes.
func body(b []byte, most int) ([]byte, bool) {
	n := int(binary.BigEndian.Uint16(b))
	if n > most || n > len(b)-2 {
		return nil, false
	}
	return b[2:][:n:n], true
}
