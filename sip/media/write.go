// Writing our own session descriptions: always from our table, never from a phone's text.

package media

import (
	"net/netip"
	"strconv"
	"strings"

	"nightjar/node/talk"

	"github.com/pion/sdp/v3"
)

// Payload types that we use for key presses towards a phone that did not name its own.
const (
	keys8k  = 101
	keys48k = 110
)

// OurKeys lists the payload types of key presses that an offer of ours names.
func OurKeys() []uint8 { return []uint8{keys8k, keys48k} }

// opusShape asks the phone for a constant 60-byte frame: sizes then tell nothing of the speech.
const opusShape = "maxaveragebitrate=24000;cbr=1;stereo=0"

// Local is our side of a session as it is written to the phone.
type Local struct {
	Host    netip.Addr // the loopback address of our sockets
	Port    uint16     // our RTP port
	Version uint64     // counts our descriptions in one call, from 1
}

// Offer describes a session with the given codecs, best first.
func (l Local) Offer(codecs []talk.Codec, dir Direction) ([]byte, error) {
	var formats []Format
	var keys []KeyFormat
	for _, c := range codecs {
		formats = append(formats, Format{c, c.PayloadType()})
		if c == talk.Opus {
			keys = append(keys, KeyFormat{keys48k, 48000})
		}
	}
	keys = append(keys, KeyFormat{keys8k, 8000})
	return l.write([]*sdp.MediaDescription{l.audio("RTP/AVP", formats, keys, dir)})
}

// Again offers a session that is on anew, under the payload types it already has: they must
// not change (RFC 3264 section 8.3.2). It fails with ErrNoAudio if d does not have the codec.
func (l Local) Again(d *Description, c talk.Codec, dir Direction) ([]byte, error) {
	f, ok := d.Format(c)
	if !ok {
		return nil, ErrNoAudio
	}
	var keys []KeyFormat
	if k, ok := d.KeysFor(c); ok {
		keys = append(keys, k)
	}
	return l.write([]*sdp.MediaDescription{l.audio("RTP/AVP", []Format{f}, keys, dir)})
}

// Answer answers d with one codec and refuses every other stream. It fails with ErrNoAudio if
// the phone did not offer that codec.
func (l Local) Answer(d *Description, c talk.Codec, dir Direction) ([]byte, error) {
	f, ok := d.Format(c)
	if !ok {
		return nil, ErrNoAudio
	}
	var keys []KeyFormat
	if k, ok := d.KeysFor(c); ok {
		keys = append(keys, k)
	}
	var list []*sdp.MediaDescription
	for i, line := range d.lines {
		if i == d.index {
			list = append(list, l.audio(line.proto, []Format{f}, keys, dir))
			continue
		}
		list = append(list, &sdp.MediaDescription{MediaName: sdp.MediaName{
			Media: line.media, Port: sdp.RangedPort{Value: 0},
			Protos: strings.Split(line.proto, "/"), Formats: []string{line.format},
		}})
	}
	return l.write(list)
}

// write frames streams into a whole description.
func (l Local) write(streams []*sdp.MediaDescription) ([]byte, error) {
	family := "IP4"
	if l.Host.Is6() {
		family = "IP6"
	}
	s := sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: 1, SessionVersion: l.Version,
			NetworkType: "IN", AddressType: family, UnicastAddress: l.Host.String(),
		},
		SessionName: "-",
		ConnectionInformation: &sdp.ConnectionInformation{
			NetworkType: "IN", AddressType: family,
			Address: &sdp.Address{Address: l.Host.String()},
		},
		TimeDescriptions:  []sdp.TimeDescription{{}},
		MediaDescriptions: streams,
	}
	return s.Marshal()
}

// audio is our stream with its maps and the frame length that we work in.
func (l Local) audio(proto string, formats []Format, keys []KeyFormat,
	dir Direction) *sdp.MediaDescription {
	m := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: "audio", Port: sdp.RangedPort{Value: int(l.Port)},
		Protos: strings.Split(proto, "/"),
	}}
	add := func(key, value string) {
		m.Attributes = append(m.Attributes, sdp.Attribute{Key: key, Value: value})
	}
	for _, f := range formats {
		pt := strconv.Itoa(int(f.PayloadType))
		m.MediaName.Formats = append(m.MediaName.Formats, pt)
		clock := f.Codec.String() + "/" + strconv.Itoa(int(f.Codec.ClockRate()))
		if f.Codec != talk.Opus {
			add("rtpmap", pt+" "+clock)
			continue
		}
		add("rtpmap", pt+" "+clock+"/2") // RFC 7587 section 7: always 2 channels
		add("fmtp", pt+" "+opusShape)
	}
	for _, k := range keys {
		pt := strconv.Itoa(int(k.PayloadType))
		m.MediaName.Formats = append(m.MediaName.Formats, pt)
		add("rtpmap", pt+" telephone-event/"+strconv.Itoa(int(k.ClockRate)))
		add("fmtp", pt+" 0-15")
	}
	add("ptime", "20")
	add("maxptime", "20")
	add(dir.String(), "")
	return m
}
