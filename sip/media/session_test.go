// Claims about the voice of one call, on fake time and sockets in memory.

package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/talk"
	"nightjar/sip/sockets"

	"github.com/pion/rtp"
)

// fakeFar is the far side of a call.
type fakeFar struct {
	sent   []talk.Frame
	frames chan talk.Frame
}

func (f *fakeFar) Send(fr talk.Frame) error  { f.sent = append(f.sent, fr); return nil }
func (f *fakeFar) Frames() <-chan talk.Frame { return f.frames }
func (f *fakeFar) say(seq uint16, b byte)    { f.frames <- talk.Frame{Seq: seq, Payload: full(b)} }
func full(b byte) []byte                     { return bytes.Repeat([]byte{b}, frameBytes) }
func at(s string) netip.AddrPort             { return netip.MustParseAddrPort(s) }

// handset is a phone's pair of media ports and all that it heard.
type handset struct {
	conn  net.PacketConn
	heard []rtp.Packet
	when  []time.Time
	raw   [][]byte
}

func newHandset(t *testing.T, m *sockets.Memory, where string) *handset {
	c, err := m.Packet(at(where))
	if err != nil {
		t.Fatal(err)
	}
	h := &handset{conn: c}
	go func() {
		buf := make([]byte, 2048)
		for {
			n, _, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			b := bytes.Clone(buf[:n])
			h.raw = append(h.raw, b)
			var p rtp.Packet
			if p.Unmarshal(b) == nil && b[1]&0x7F < 128 {
				h.heard = append(h.heard, p)
				h.when = append(h.when, time.Now())
			}
		}
	}()
	return h
}

func (h *handset) send(t *testing.T, to uint16, b []byte) {
	t.Helper()
	addr := net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, to))
	if _, err := h.conn.WriteTo(b, addr); err != nil {
		t.Fatal(err)
	}
}

// packet is an RTP packet of the phone with marks that must not travel.
func packet(pt uint8, seq uint16, ts uint32, payload []byte) []byte {
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: seq,
		Timestamp: ts, SSRC: 0xC0A84D17, CSRC: []uint32{0xC0A84D17}}, Payload: payload}
	b, err := p.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

// scene runs a session towards a phone at 127.0.0.1:7078 inside a bubble.
func scene(t *testing.T, change func(*Target), act func(m *sockets.Memory, s *Session,
	h *handset, far *fakeFar, keys *[]byte)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := sockets.NewMemory()
		s, err := Open(func(port uint16) (net.PacketConn, error) {
			return m.Packet(netip.AddrPortFrom(here, port))
		})
		if err != nil || s.Port()%2 != 0 {
			t.Fatalf("port %d, %v", s.Port(), err)
		}
		target := Target{Codec: talk.PCMU, Out: 0, In: []uint8{0}, HasKeys: true,
			Keys: KeyFormat{101, 8000}, KeysIn: []uint8{101}, Port: 7078,
			Hosts: []netip.Addr{here}, Direction: SendRecv}
		if change != nil {
			change(&target)
		}
		s.Aim(target)
		far := &fakeFar{frames: make(chan talk.Frame, 512)}
		h := newHandset(t, m, "127.0.0.1:7078")
		ctx, stop := context.WithCancel(t.Context())
		var keys []byte
		done := make(chan struct{})
		go func() {
			s.Run(ctx, far, func(k byte) { keys = append(keys, k) })
			close(done)
		}()
		defer func() {
			stop()
			<-done
			h.conn.Close()
		}()
		act(m, s, h, far, &keys)
	})
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestPhoneHearsTheFarSideAtItsOwnPace(t *testing.T) {
	scene(t, nil, func(_ *sockets.Memory, s *Session, h *handset, far *fakeFar, _ *[]byte) {
		pass(time.Second)
		for i := range 60 { // in bursts of three, as cells bring them
			if i%3 == 0 {
				pass(60 * time.Millisecond)
			}
			far.say(uint16(i), byte(i+1))
		}
		pass(time.Second)
		for i := 1; i < len(h.heard); i++ {
			a, b := h.heard[i-1], h.heard[i]
			if b.SSRC != a.SSRC || b.SequenceNumber != a.SequenceNumber+1 ||
				(b.Timestamp-a.Timestamp)%160 != 0 || b.PayloadType != 0 {
				t.Fatalf("packet %d does not follow: %v", i, b.Header)
			}
			gap := h.when[i].Sub(h.when[i-1])
			if gap != frameTime*time.Duration((b.Timestamp-a.Timestamp)/160) {
				t.Fatalf("packet %d came after %v", i, gap)
			}
		}
		var voice []byte
		for _, p := range h.heard {
			if p.Payload[0] != 0xFF {
				voice = append(voice, p.Payload[0])
			}
		}
		if len(voice) != 60 {
			t.Errorf("heard %d frames of 60: %v", len(voice), voice)
		}
	})
}

func TestSilentRoadStillKeepsThePhone(t *testing.T) {
	for _, c := range talk.Codecs() {
		set := func(t *Target) { t.Codec, t.Out, t.HasKeys = c, c.PayloadType(), false }
		scene(t, set, func(_ *sockets.Memory, _ *Session, h *handset, _ *fakeFar, _ *[]byte) {
			pass(10 * time.Second)
			if len(h.heard) < 490 || !bytes.Equal(h.heard[9].Payload, silence(c)) {
				t.Errorf("%v: %d packets in 10 s", c, len(h.heard))
			}
		})
	}
}

func TestFarSideGetsFramesAndNothingElse(t *testing.T) {
	scene(t, nil, func(_ *sockets.Memory, s *Session, h *handset, far *fakeFar, _ *[]byte) {
		for i := range 10 {
			h.send(t, s.Port(), packet(0, uint16(14262+i), uint32(7867+160*i), full(byte(i))))
		}
		pass(time.Millisecond)
		if len(far.sent) != 10 {
			t.Fatalf("%d frames", len(far.sent))
		}
		for i, f := range far.sent {
			if f.Seq != uint16(i) || !bytes.Equal(f.Payload, full(byte(i))) {
				t.Errorf("frame %d: seq %d", i, f.Seq)
			}
		}
	})
}

// stun is what linphone sends to the RTP port although ICE is off.
var stun = []byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}

func TestStunAndForeignPacketsAreNotHeard(t *testing.T) {
	scene(t, nil, func(m *sockets.Memory, s *Session, h *handset, far *fakeFar, _ *[]byte) {
		h.send(t, s.Port(), stun)
		h.send(t, s.Port(), []byte{0x80, 0})
		h.send(t, s.Port(), packet(96, 1, 1, full(1)))                             // not negotiated
		h.send(t, s.Port(), packet(0, 1, 1, nil))                                  // empty
		h.send(t, s.Port(), append([]byte{0x40}, packet(0, 1, 1, full(1))[1:]...)) // version 1
		intruder := newHandset(t, m, "127.0.0.1:7079")                             // another program
		intruder.send(t, s.Port(), packet(0, 1, 1, full(1)))
		pass(time.Millisecond)
		if len(far.sent) != 0 || s.Counts().Refused != 6 {
			t.Errorf("%d frames, counts %+v", len(far.sent), s.Counts())
		}
		intruder.conn.Close()
	})
}

func TestLibraryAloneWouldTakeStunForVoice(t *testing.T) {
	var p rtp.Packet
	if p.Unmarshal(stun) != nil {
		t.Fatal("the naive way refuses it too: this test proves nothing")
	}
	if _, ok := parsePacket(stun); ok {
		t.Fatal("STUN was taken for voice")
	}
}

func TestFirstGoodPacketFixesThePhonesAddress(t *testing.T) {
	lan := netip.MustParseAddr("192.0.2.23")
	set := func(t *Target) { t.Hosts = []netip.Addr{lan, here} }
	scene(t, set, func(m *sockets.Memory, s *Session, h *handset, far *fakeFar, _ *[]byte) {
		h.send(t, s.Port(), packet(0, 1, 0, full(1))) // it signals from its LAN address
		pass(100 * time.Millisecond)
		if len(h.heard) == 0 {
			t.Error("the phone is not answered where it talks from")
		}
		other := newHandset(t, m, "192.0.2.23:7078")
		other.send(t, s.Port(), packet(0, 2, 160, full(2)))
		pass(100 * time.Millisecond)
		if len(far.sent) != 1 || len(other.heard) != 0 {
			t.Errorf("a second source was heard: %d frames, %d packets", len(far.sent),
				len(other.heard))
		}
		other.conn.Close()
	})
}

func TestHeldPhoneIsNeitherHeardNorSpokenTo(t *testing.T) {
	scene(t, nil, func(_ *sockets.Memory, s *Session, h *handset, far *fakeFar, _ *[]byte) {
		s.mu.Lock()
		target := s.target
		s.mu.Unlock()
		target.Direction = Inactive
		s.Aim(target)
		pass(30 * time.Millisecond)
		before := len(h.heard)
		h.send(t, s.Port(), packet(0, 1, 0, full(1)))
		pass(time.Second)
		if len(far.sent) != 0 || len(h.heard) != before {
			t.Errorf("%d frames, %d packets during hold", len(far.sent), len(h.heard)-before)
		}
		target.Direction = SendRecv
		s.Aim(target)
		pass(time.Second)
		if len(h.heard) < before+45 || !h.heard[before].Marker {
			t.Errorf("%d packets after hold", len(h.heard)-before)
		}
	})
}

func TestKeysGoBothWays(t *testing.T) {
	scene(t, nil, func(_ *sockets.Memory, s *Session, h *handset, far *fakeFar, keys *[]byte) {
		var w keyWriter
		w.press('7')
		w.press('7')
		for now := uint32(0); ; now += 160 {
			p, ok := w.next(now, 160)
			if !ok {
				break
			}
			h.send(t, s.Port(), packet(101, uint16(now/160), p.ts, p.payload))
		}
		for _, k := range []byte("4#") {
			if !s.Press(k) {
				t.Errorf("key %c was refused", k)
			}
		}
		pass(time.Second)
		var r keyReader
		var got []byte
		for _, p := range h.heard {
			if p.PayloadType != 101 {
				continue
			}
			if k, ok := r.read(p.Timestamp, p.Payload); ok {
				got = append(got, k)
			}
		}
		if string(*keys) != "77" || string(got) != "4#" {
			t.Errorf("from the phone %q, to the phone %q", *keys, got)
		}
	})
}

func TestPhoneWithoutKeyFormatGetsNoKeyPackets(t *testing.T) {
	set := func(t *Target) { t.HasKeys = false }
	scene(t, set, func(_ *sockets.Memory, s *Session, _ *handset, _ *fakeFar, _ *[]byte) {
		if s.Press('1') {
			t.Error("a key was taken for a phone that cannot hear it")
		}
	})
}

func TestReportNamesNobody(t *testing.T) {
	scene(t, nil, func(m *sockets.Memory, s *Session, h *handset, _ *fakeFar, _ *[]byte) {
		rtcp := newHandset(t, m, "127.0.0.1:7079")
		pass(12 * time.Second)
		if len(rtcp.raw) != 3 {
			t.Fatalf("%d reports in 12 s", len(rtcp.raw))
		}
		ssrc := binary.BigEndian.AppendUint32(nil, h.heard[0].SSRC)
		want := bytes.Join([][]byte{{0x80, 201, 0, 1}, ssrc, {0x81, 202, 0, 2}, ssrc,
			{1, 1, '-', 0}}, nil)
		if !bytes.Equal(rtcp.raw[0], want) {
			t.Errorf("report %x", rtcp.raw[0])
		}
		rtcp.conn.Close()
	})
}

func TestFrameOfAnotherCodecIsNotPlayed(t *testing.T) {
	scene(t, nil, func(_ *sockets.Memory, _ *Session, h *handset, far *fakeFar, _ *[]byte) {
		for i := range 10 {
			far.frames <- talk.Frame{Seq: uint16(i), Payload: []byte("not 160 bytes")}
		}
		pass(time.Second)
		for _, p := range h.heard {
			if len(p.Payload) != frameBytes {
				t.Fatalf("the phone was sent %d bytes", len(p.Payload))
			}
		}
	})
}

func TestTwoCallsShareNoNumbers(t *testing.T) {
	a, b := newMouth(nil), newMouth(nil)
	if a.ssrc == b.ssrc || a.ts == b.ts {
		t.Error("numbers repeat")
	}
}
