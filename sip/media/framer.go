// From a phone's packets of any length to frames of 20 ms. Pure: no clock.

package media

import (
	"nightjar/node/talk"
)

// frameBytes is 20 ms of a codec with one byte per 125 us (G.711, G.722).
const frameBytes = 160

// maxGap is the longest silence, in frames, that keeps its true length: 10 s. A larger jump of
// the phone's timestamp is a new start.
const maxGap = 500

// framer turns the packets of one codec into frames. Sequence numbers follow the phone's own
// timestamps, so that a pause of the phone stays a pause on the far side.
type framer struct {
	codec   talk.Codec
	running bool
	next    uint32 // timestamp that continues the stream
	seq     uint16 // of the next frame
	rest    []byte // samples of a frame that is not full yet
	dropped uint64 // packets that are no frame: too big, wrong length, out of order
}

// use switches to a codec; the sequence goes on.
func (f *framer) use(c talk.Codec) {
	if f.codec != c {
		f.codec, f.running, f.rest = c, false, nil
	}
}

// push takes one packet and returns the frames that it completes.
func (f *framer) push(ts uint32, payload []byte) []talk.Frame {
	if f.codec == talk.Opus {
		return f.pushOpus(ts, payload)
	}
	if len(payload) == 0 || len(payload) > 10*frameBytes {
		f.dropped++
		return nil
	}
	if !f.advance(ts, frameBytes) {
		return nil
	}
	f.next = ts + uint32(len(payload))
	f.rest = append(f.rest, payload...)
	var frames []talk.Frame
	for len(f.rest) >= frameBytes {
		frames = append(frames, f.frame(f.rest[:frameBytes]))
		f.rest = f.rest[frameBytes:]
	}
	return frames
}

// pushOpus passes a packet of exactly 20 ms on as it is: its bytes mean nothing to us.
func (f *framer) pushOpus(ts uint32, payload []byte) []talk.Frame {
	if !fits(talk.Opus, payload) {
		f.dropped++
		return nil
	}
	const step = 960
	if !f.advance(ts, step) {
		return nil
	}
	f.next = ts + step
	return []talk.Frame{f.frame(payload)}
}

// frame numbers a payload and copies it.
func (f *framer) frame(payload []byte) talk.Frame {
	fr := talk.Frame{Seq: f.seq, Payload: append([]byte(nil), payload...)}
	f.seq++
	return fr
}

// advance moves the sequence to timestamp ts, where step is one frame. It reports false for a
// packet of the past, which is dropped.
func (f *framer) advance(ts, step uint32) bool {
	gap := int32(ts - f.next)
	limit := int32(maxGap * step)
	switch {
	case !f.running || gap > limit || gap < -limit:
		f.running, f.rest = true, f.rest[:0]
	case gap < 0:
		f.dropped++
		return false
	case gap > 0:
		skipped := uint32(gap) + uint32(len(f.rest))
		f.rest = f.rest[:0]
		f.seq += uint16((skipped + step/2) / step)
	}
	return true
}

// fits reports whether payload is one frame of 20 ms of codec c.
func fits(c talk.Codec, payload []byte) bool {
	if c != talk.Opus {
		return len(payload) == frameBytes
	}
	return len(payload) <= talk.MaxPayload && opusLength(payload) == 20000
}

// opusLength is the duration of an Opus packet in microseconds, 0 if it is none (RFC 6716
// section 3.1: the first byte holds the frame length and the count of frames).
func opusLength(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	count := 2
	switch p[0] & 3 {
	case 0:
		count = 1
	case 3:
		if len(p) < 2 {
			return 0
		}
		count = int(p[1] & 63)
	}
	silk, hybrid := [4]int{10000, 20000, 40000, 60000}, [2]int{10000, 20000}
	celt := [4]int{2500, 5000, 10000, 20000}
	switch config := p[0] >> 3; {
	case config < 12:
		return count * silk[config&3]
	case config < 16:
		return count * hybrid[config&1]
	default:
		return count * celt[config&3]
	}
}

// silence is a frame of nothing to hear, for a phone that must not think us gone.
func silence(c talk.Codec) []byte {
	fill := func(b byte) []byte {
		p := make([]byte, frameBytes)
		for i := range p {
			p[i] = b
		}
		return p
	}
	switch c {
	case talk.Opus:
		return []byte{0xF8, 0xFF, 0xFE} // a CELT frame of 20 ms with nothing in it
	case talk.G722:
		return fill(0xFD) // smallest step up in the low band, down in the high: decays to zero
	case talk.PCMA:
		return fill(0xD5)
	}
	return fill(0xFF)
}
