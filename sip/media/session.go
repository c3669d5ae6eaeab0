// The voice of one call: two loopback sockets on the phone's side, a call's frames on the other.

package media

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"nightjar/node/talk"
)

// ErrNoPort is returned when no pair of neighbouring ports is free.
var ErrNoPort = errors.New("no pair of media ports is free")

// frameTime is the length of a frame.
const frameTime = 20 * time.Millisecond

// reportEvery is how often the phone gets an RTCP report, so that it does not think us gone.
const reportEvery = 5 * time.Second

// Audio is the far side of a call: the two methods of [talk.Call] that carry voice.
type Audio interface {
	Send(talk.Frame) error
	Frames() <-chan talk.Frame
}

// Target says where and how the phone wants its audio, and what it may send.
type Target struct {
	Codec     talk.Codec
	Out       uint8        // payload type of the codec towards the phone
	In        []uint8      // payload types of the codec from the phone
	Keys      KeyFormat    // key presses towards the phone
	HasKeys   bool         // false: the phone takes none in its stream
	KeysIn    []uint8      // key press payload types from the phone
	Port      uint16       // the phone's RTP port; only packets from this port are heard
	Hosts     []netip.Addr // the addresses it may send from; the first is where we begin to send
	Direction Direction    // as we wrote it: SendOnly means that we do not listen
}

// Counts says what happened to the packets of one call. They hold nothing of the voice.
type Counts struct {
	Received, Refused, Dropped uint64 // packets of the phone: taken, foreign, no frame
	Sent                       uint64 // packets to the phone
	Play                       PlayCounts
}

// Session is the voice of one call. Open it, Aim it as often as the session changes, Run it.
type Session struct {
	rtp, rtcp net.PacketConn
	port      uint16
	digits    chan byte // presses for the phone; at most 16, more are refused

	mu     sync.Mutex
	target Target
	aimed  bool
	remote netip.AddrPort // where the phone sends from, once heard
	counts Counts
}

// Open takes an even RTP port and the RTCP port above it (RFC 3550 section 11) from listen,
// which binds a UDP port on loopback.
func Open(listen func(port uint16) (net.PacketConn, error)) (*Session, error) {
	for range 40 {
		var r [2]byte
		rand.Read(r[:])
		port := 20000 + binary.BigEndian.Uint16(r[:])%20000&^1
		rtp, err := listen(port)
		if err != nil {
			continue
		}
		rtcp, err := listen(port + 1)
		if err != nil {
			rtp.Close()
			continue
		}
		return &Session{rtp: rtp, rtcp: rtcp, port: port, digits: make(chan byte, 16)}, nil
	}
	return nil, ErrNoPort
}

// Port is our RTP port.
func (s *Session) Port() uint16 { return s.port }

// Close gives the ports back. Run does it too.
func (s *Session) Close() {
	s.rtp.Close()
	s.rtcp.Close()
}

// Aim sets or changes where the phone is and what it speaks.
func (s *Session) Aim(t Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.aimed || t.Port != s.target.Port {
		s.remote = netip.AddrPort{}
	}
	s.target, s.aimed = t, true
}

// Press sends a key press to the phone inside the stream. It reports false if the phone did
// not negotiate that, or if too many presses wait.
func (s *Session) Press(key byte) bool {
	s.mu.Lock()
	ok := s.aimed && s.target.HasKeys
	s.mu.Unlock()
	if !ok {
		return false
	}
	select {
	case s.digits <- key:
		return true
	default:
		return false
	}
}

// Counts returns the counters of this call.
func (s *Session) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Run carries voice between the phone and far until ctx ends, then closes the ports. pressed
// is called for each key that the phone presses; it must not block.
func (s *Session) Run(ctx context.Context, far Audio, pressed func(byte)) {
	var wg sync.WaitGroup
	wg.Go(func() { s.listen(far, pressed) })
	s.speak(ctx, far.Frames())
	s.Close()
	wg.Wait()
}

// aim returns the target and the address to send to; false while there is none.
func (s *Session) aim() (Target, netip.AddrPort, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.remote
	if !to.IsValid() && s.aimed && len(s.target.Hosts) > 0 {
		to = netip.AddrPortFrom(s.target.Hosts[0], s.target.Port)
	}
	return s.target, to, s.aimed && to.IsValid() && to.Port() != 0
}

// tally changes the counters.
func (s *Session) tally(f func(*Counts)) {
	s.mu.Lock()
	f(&s.counts)
	s.mu.Unlock()
}
