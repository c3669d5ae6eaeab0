// Reading a phone's session description (RFC 8866, RFC 3264): only what we use is kept.

package media

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"nightjar/node/talk"

	"github.com/pion/sdp/v3"
)

// MaxSDP is the largest session description that is read, in bytes.
const MaxSDP = 16 << 10

// ErrSDP is returned for bytes that are no session description.
var ErrSDP = errors.New("not a session description")

// ErrNoAudio is returned for a description without a plain RTP audio stream of a codec that we
// know: encrypted only (SAVP), video only, foreign codecs only.
var ErrNoAudio = errors.New("no usable audio stream")

// Direction is who sends, seen from the writer of a description.
type Direction uint8

// The directions of RFC 8866 section 6.7. The zero value is not a direction.
const (
	SendRecv Direction = 1 + iota
	SendOnly
	RecvOnly
	Inactive
)

// Reverse is the same direction seen from the other side.
func (d Direction) Reverse() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	}
	return d
}

// Held reports whether the writer of d holds the call: it does not want to hear us.
func (d Direction) Held() bool { return d == SendOnly || d == Inactive }

// String is the attribute name of d.
func (d Direction) String() string {
	names := [...]string{"", "sendrecv", "sendonly", "recvonly", "inactive"}
	if int(d) >= len(names) {
		return ""
	}
	return names[d]
}

// Format is one payload type that a phone offers or answers.
type Format struct {
	Codec       talk.Codec
	PayloadType uint8
}

// KeyFormat is a payload type for key presses (telephone-event, RFC 4733).
type KeyFormat struct {
	PayloadType uint8
	ClockRate   uint32
}

// Description is all that we keep of a phone's session description.
type Description struct {
	Host      netip.Addr  // connection address if it is an IP; compared with, never sent to
	Port      uint16      // where the phone wants its audio; 0: stream refused
	Formats   []Format    // codecs that we know, phone's order, each codec once
	Keys      []KeyFormat // key press formats, phone's order
	Direction Direction
	lines     []mediaLine // every m= line, so that an answer can mirror them
	index     int         // the audio line that we use
}

// mediaLine is the frame of an m= line: enough to refuse it properly.
type mediaLine struct {
	media, proto, format string
}

// Codecs lists the codecs of the description in the phone's order.
func (d *Description) Codecs() []talk.Codec {
	var list []talk.Codec
	for _, f := range d.Formats {
		list = append(list, f.Codec)
	}
	return list
}

// Format returns the phone's payload type of a codec.
func (d *Description) Format(c talk.Codec) (Format, bool) {
	for _, f := range d.Formats {
		if f.Codec == c {
			return f, true
		}
	}
	return Format{}, false
}

// KeysFor picks the key press format whose clock is that of codec, else the first.
func (d *Description) KeysFor(c talk.Codec) (KeyFormat, bool) {
	for _, k := range d.Keys {
		if k.ClockRate == c.ClockRate() {
			return k, true
		}
	}
	if len(d.Keys) == 0 {
		return KeyFormat{}, false
	}
	return d.Keys[0], true
}

// ParseSDP reads a phone's description. It is total and bounded; errors are ErrSDP and
// ErrNoAudio.
func ParseSDP(body []byte) (*Description, error) {
	if len(body) == 0 || len(body) > MaxSDP {
		return nil, ErrSDP
	}
	var s sdp.SessionDescription
	if s.Unmarshal(body) != nil || len(s.MediaDescriptions) > 8 {
		return nil, ErrSDP
	}
	d := &Description{index: -1}
	for i, m := range s.MediaDescriptions {
		line, ok := frameOf(m)
		if !ok {
			return nil, ErrNoAudio
		}
		d.lines = append(d.lines, line)
		if d.index < 0 && d.readAudio(&s, m) {
			d.index = i
		}
	}
	if d.index < 0 {
		return nil, ErrNoAudio
	}
	return d, nil
}

// frameOf keeps media type, protocol and first format if each is a plain short token.
func frameOf(m *sdp.MediaDescription) (mediaLine, bool) {
	if len(m.MediaName.Formats) == 0 {
		return mediaLine{}, false
	}
	line := mediaLine{
		media:  m.MediaName.Media,
		proto:  strings.Join(m.MediaName.Protos, "/"),
		format: m.MediaName.Formats[0],
	}
	return line, token(line.media) && token(line.proto) && token(line.format)
}

// token reports whether s may be written back to the phone as part of an m= line.
func token(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for _, c := range []byte(s) {
		alnum := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !alnum && !strings.ContainsRune("/-_.*+", rune(c)) {
			return false
		}
	}
	return true
}

// readAudio takes m as our stream if it is plain RTP audio with a codec that we know.
func (d *Description) readAudio(s *sdp.SessionDescription, m *sdp.MediaDescription) bool {
	proto := strings.Join(m.MediaName.Protos, "/")
	port := m.MediaName.Port.Value
	if m.MediaName.Media != "audio" || proto != "RTP/AVP" && proto != "RTP/AVPF" ||
		port <= 0 || port > 65535 || len(m.MediaName.Formats) > 64 {
		return false
	}
	var formats []Format
	var keys []KeyFormat
	for _, text := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(text, 10, 7)
		if err != nil {
			continue
		}
		name, clock := mapping(m, text)
		if name == "telephone-event" && (clock == 8000 || clock == 48000) {
			keys = append(keys, KeyFormat{uint8(pt), clock})
		}
		c := codecOf(name, clock)
		seen := slices.ContainsFunc(formats, func(f Format) bool { return f.Codec == c })
		if c.Known() && !seen {
			formats = append(formats, Format{c, uint8(pt)})
		}
	}
	if len(formats) == 0 {
		return false
	}
	d.Port, d.Formats, d.Keys = uint16(port), formats, keys
	d.Host, d.Direction = hostOf(s, m), directionOf(s, m)
	if d.Host.IsValid() && d.Host.IsUnspecified() {
		d.Direction = Inactive // hold as RFC 2543 wrote it
	}
	return true
}

// mapping is the encoding name and clock of a payload type, from rtpmap or the static table.
func mapping(m *sdp.MediaDescription, format string) (string, uint32) {
	for _, a := range m.Attributes {
		pt, value, ok := strings.Cut(a.Value, " ")
		if a.Key != "rtpmap" || !ok || pt != format {
			continue
		}
		parts := strings.Split(strings.TrimSpace(value), "/")
		if len(parts) < 2 {
			return "", 0
		}
		clock, err := strconv.ParseUint(parts[1], 10, 32)
		if err != nil {
			return "", 0
		}
		return strings.ToLower(parts[0]), uint32(clock)
	}
	static := map[string]string{"0": "pcmu", "8": "pcma", "9": "g722"}
	return static[format], 8000
}

// codecOf finds the codec of an encoding name, zero if we do not know it.
func codecOf(name string, clock uint32) talk.Codec {
	for _, c := range talk.Codecs() {
		if strings.EqualFold(c.String(), name) && c.ClockRate() == clock {
			return c
		}
	}
	return 0
}

// hostOf is the connection address of a stream, if it is an IP address.
func hostOf(s *sdp.SessionDescription, m *sdp.MediaDescription) netip.Addr {
	c := s.ConnectionInformation
	if m.ConnectionInformation != nil {
		c = m.ConnectionInformation
	}
	if c == nil || c.Address == nil {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(c.Address.Address)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// directionOf is the stream's direction, else the session's, else both ways.
func directionOf(s *sdp.SessionDescription, m *sdp.MediaDescription) Direction {
	for _, list := range [][]sdp.Attribute{m.Attributes, s.Attributes} {
		for _, a := range list {
			for d := SendRecv; d <= Inactive; d++ {
				if a.Key == d.String() {
					return d
				}
			}
		}
	}
	return SendRecv
}
