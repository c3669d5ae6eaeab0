// What the phone hears: the far side's frames at our own steady pace, under our own numbers.

package media

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"nightjar/node/talk"

	"github.com/pion/rtp"
)

// quietAfter is how many frames may be missing before the phone is sent silence: shorter holes
// are concealed better by the phone itself.
const quietAfter = 10

// mouth is what speaking remembers between frames.
type mouth struct {
	session  *Session
	buffer   playout
	keys     keyWriter
	ssrc, ts uint32
	seq      uint16
	begun    bool // the packet before was sent: no marker needed
	missing  int  // frames in a row without voice
}

// newMouth starts at random numbers (RFC 3550 section 5.1).
func newMouth(s *Session) *mouth {
	var r [10]byte
	rand.Read(r[:])
	return &mouth{
		session: s,
		ssrc:    binary.BigEndian.Uint32(r[:]),
		ts:      binary.BigEndian.Uint32(r[4:]),
		seq:     binary.BigEndian.Uint16(r[8:]),
		missing: quietAfter,
	}
}

// speak paces the far side's frames to the phone until ctx ends.
func (s *Session) speak(ctx context.Context, frames <-chan talk.Frame) {
	m := newMouth(s)
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	due, report := time.Now().Add(frameTime), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case f, ok := <-frames:
			if !ok {
				frames = nil // the owner of the call ends us
				continue
			}
			m.buffer.push(f.Seq, f.Payload)
		case key := <-s.digits:
			m.keys.press(key)
		case now := <-tick.C:
			if now.Sub(due) > 10*frameTime {
				due = now // the machine slept: do not pour it out at once
			}
			for ; !due.After(now); due = due.Add(frameTime) {
				m.utter()
			}
			if !report.After(now) {
				report = now.Add(reportEvery)
				m.report()
			}
		}
	}
}

// utter sends what is due in this 20 ms.
func (m *mouth) utter() {
	t, to, ok := m.session.aim()
	voice := m.buffer.pull()
	m.session.tally(func(c *Counts) { c.Play = m.buffer.counts })
	if !ok || t.Direction == RecvOnly || t.Direction == Inactive {
		m.begun = false
		return
	}
	now := m.ts
	m.ts += t.Codec.ClockRate() / 50
	if t.HasKeys {
		if p, ok := m.keys.next(now, t.Keys.ClockRate/50); ok {
			m.send(to, t.Keys.PayloadType, p.ts, p.first, p.payload)
			return
		}
	}
	if voice = m.fill(t.Codec, voice); voice == nil {
		m.begun = false
		return
	}
	m.send(to, t.Out, now, !m.begun, voice)
	m.begun = true
}

// fill lets short holes be and puts silence into long ones. A frame that is not of the codec
// is a hole.
func (m *mouth) fill(c talk.Codec, voice []byte) []byte {
	if voice != nil && fits(c, voice) {
		m.missing = 0
		return voice
	}
	if m.missing++; m.missing > quietAfter {
		return silence(c)
	}
	return nil
}

// send writes one packet. A phone that is gone is noticed by the owner of the call.
func (m *mouth) send(to netip.AddrPort, pt uint8, ts uint32, marker bool, payload []byte) {
	p := rtp.Packet{Header: rtp.Header{
		Version: 2, Marker: marker, PayloadType: pt,
		SequenceNumber: m.seq, Timestamp: ts, SSRC: m.ssrc,
	}, Payload: payload}
	m.seq++
	b, err := p.Marshal()
	if err != nil {
		return
	}
	if _, err = m.session.rtp.WriteTo(b, net.UDPAddrFromAddrPort(to)); err == nil {
		m.session.tally(func(c *Counts) { c.Sent++ })
	}
}

// report sends an empty receiver report and a name that says nothing (RFC 3550 sections 6.4.2
// and 6.5). Reports of the phone are never read.
func (m *mouth) report() {
	_, to, ok := m.session.aim()
	if !ok || to.Port() == 65535 {
		return
	}
	b := []byte{0x80, 201, 0, 1}
	b = binary.BigEndian.AppendUint32(b, m.ssrc)
	b = append(b, 0x81, 202, 0, 2)
	b = binary.BigEndian.AppendUint32(b, m.ssrc)
	b = append(b, 1, 1, '-', 0) // CNAME of one byte, end of list
	rtcp := netip.AddrPortFrom(to.Addr(), to.Port()+1)
	m.session.rtcp.WriteTo(b, net.UDPAddrFromAddrPort(rtcp))
}
