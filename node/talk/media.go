// Audio frames in a datagram.

package talk

import (
	"encoding/binary"
	"errors"
)

// MaxMedia is the largest media datagram in bytes: what one record of a tunnel carries.
const MaxMedia = 464

// frameHead is the size of a frame's head: sequence number and length.
const frameHead = 3

// ErrMedia is returned for bytes that are no media datagram.
var ErrMedia = errors.New("not a media datagram")

// PackMedia puts frames into one datagram, newest kept first when not all fit; the frames in it
// stand in the order given. It returns nil when there is nothing to pack. Frames with an empty
// or too long payload are left out.
func PackMedia(frames []Frame) []byte {
	from, size := len(frames), 0
	for from > 0 {
		need := frameHead + len(frames[from-1].Payload)
		if size+need > MaxMedia {
			break
		}
		from, size = from-1, size+need
	}
	var b []byte
	for _, f := range frames[from:] {
		if len(f.Payload) == 0 || len(f.Payload) > MaxPayload {
			continue
		}
		b = binary.BigEndian.AppendUint16(b, f.Seq)
		b = append(append(b, byte(len(f.Payload))), f.Payload...)
	}
	return b
}

// ParseMedia reads the frames of a datagram. It accepts exactly what PackMedia makes.
func ParseMedia(b []byte) ([]Frame, error) {
	if len(b) == 0 || len(b) > MaxMedia {
		return nil, ErrMedia
	}
	var frames []Frame
	for len(b) > 0 {
		if len(b) < frameHead {
			return nil, ErrMedia
		}
		n := int(b[2])
		if n == 0 || n > MaxPayload || len(b) < frameHead+n {
			return nil, ErrMedia
		}
		payload := append([]byte(nil), b[frameHead:frameHead+n]...)
		frames = append(frames, Frame{Seq: binary.BigEndian.Uint16(b), Payload: payload})
		b = b[frameHead+n:]
	}
	return frames, nil
}
