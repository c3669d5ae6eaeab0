// The audio codings that may cross.

package talk

import "strconv"

// Codec is an audio coding that both engines and common SIP phones know. Its number is what
// crosses the wire, never a phone's own payload type.
type Codec uint8

// The codecs, best for a thin and shaky road first.
const (
	Opus Codec = 1 // RFC 6716, 48 kHz clock, asked of the phone at a constant 24 kbit/s
	G722 Codec = 2 // 64 kbit/s wideband; its RTP clock is 8 kHz (RFC 3551 section 4.5.2)
	PCMU Codec = 3 // G.711 mu-law, 8 kHz
	PCMA Codec = 4 // G.711 A-law, 8 kHz
)

// Codecs lists every codec in order of preference.
func Codecs() []Codec { return []Codec{Opus, G722, PCMU, PCMA} }

// Known reports whether c is one of Codecs.
func (c Codec) Known() bool { return c >= Opus && c <= PCMA }

// String is the encoding name registered for RTP (RFC 3551, RFC 7587).
func (c Codec) String() string {
	switch c {
	case Opus:
		return "opus"
	case G722:
		return "G722"
	case PCMU:
		return "PCMU"
	case PCMA:
		return "PCMA"
	}
	return "codec " + strconv.Itoa(int(c))
}

// ClockRate is the RTP clock in hertz: a 20 ms frame advances the timestamp by a fiftieth of it.
func (c Codec) ClockRate() uint32 {
	if c == Opus {
		return 48000
	}
	return 8000
}

// PayloadType is the RTP payload type we use towards our own phone: the static one of RFC 3551,
// or 111 for Opus.
func (c Codec) PayloadType() uint8 {
	switch c {
	case PCMU:
		return 0
	case PCMA:
		return 8
	case G722:
		return 9
	}
	return 111
}

// Common returns the codecs of offer that are known and also in accept, in offer's order.
func Common(offer, accept []Codec) []Codec {
	var both []Codec
	for _, c := range offer {
		for _, a := range accept {
			if c == a && c.Known() {
				both = append(both, c)
				break
			}
		}
	}
	return both
}
