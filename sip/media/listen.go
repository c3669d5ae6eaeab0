// What the phone sends: strictly checked, cut into frames, given to the far side.

package media

import (
	"net"
	"net/netip"
	"slices"

	"github.com/pion/rtp"
)

// maxPacket is the largest datagram that is read, in bytes.
const maxPacket = 2048

// listen reads the phone's packets until the socket is closed.
func (s *Session) listen(far Audio, pressed func(byte)) {
	buf := make([]byte, maxPacket)
	ear := ear{session: s, far: far, pressed: pressed}
	for failures := 0; failures < 100; {
		n, from, err := s.rtp.ReadFrom(buf)
		if err != nil {
			failures++ // a closed socket fails every time
			continue
		}
		failures = 0
		if udp, ok := from.(*net.UDPAddr); ok {
			ear.hear(buf[:n], udp.AddrPort())
		}
	}
}

// ear is what listening remembers between packets.
type ear struct {
	session *Session
	far     Audio
	pressed func(byte)
	framer  framer
	keys    keyReader
	ssrc    uint32
	heard   bool
}

// hear takes one datagram.
func (e *ear) hear(b []byte, from netip.AddrPort) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	p, ok := parsePacket(b)
	if !ok {
		e.session.tally(func(c *Counts) { c.Refused++ })
		return
	}
	t, ok := e.session.admit(p.PayloadType, from)
	if !ok {
		return
	}
	if e.heard && p.SSRC != e.ssrc {
		e.framer.running, e.keys = false, keyReader{} // the phone began a new stream
	}
	e.ssrc, e.heard = p.SSRC, true
	if slices.Contains(t.KeysIn, p.PayloadType) {
		if key, ok := e.keys.read(p.Timestamp, p.Payload); ok {
			e.pressed(key)
		}
		return
	}
	if t.Direction == SendOnly || t.Direction == Inactive {
		return
	}
	e.framer.use(t.Codec)
	before := e.framer.dropped
	for _, f := range e.framer.push(p.Timestamp, p.Payload) {
		e.far.Send(f) // a call that has ended is noticed by its owner
	}
	e.session.tally(func(c *Counts) { c.Received++; c.Dropped += e.framer.dropped - before })
}

// admit checks payload type and source of a packet. The first good packet fixes the address
// that the phone sends from; from then on only that one is heard, and it is where we send.
func (s *Session) admit(pt uint8, from netip.AddrPort) (Target, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := slices.Contains(s.target.In, pt) || slices.Contains(s.target.KeysIn, pt)
	if !s.aimed || !known || from.Port() != s.target.Port ||
		!slices.Contains(s.target.Hosts, from.Addr()) ||
		s.remote.IsValid() && s.remote != from {
		s.counts.Refused++
		return Target{}, false
	}
	s.remote = from
	return s.target, true
}

// parsePacket reads an RTP packet. The library takes any version, so a STUN request would pass
// for audio: version 2 is asked for first (RFC 3550 section 5.1).
func parsePacket(b []byte) (*rtp.Packet, bool) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return nil, false
	}
	p := new(rtp.Packet)
	if p.Unmarshal(b) != nil || len(p.Payload) == 0 {
		return nil, false
	}
	return p, true
}
