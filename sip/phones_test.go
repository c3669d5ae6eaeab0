// Two phones in a call, and their ears.

package sip

import (
	"bytes"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/pion/rtp"
)

// rtpPort finds where a description of ours wants its audio.
func rtpPort(t *testing.T, body []byte) uint16 {
	t.Helper()
	_, after, ok := strings.Cut(string(body), "m=audio ")
	if !ok {
		t.Errorf("no audio in %q", body)
		return 1
	}
	port, _, _ := strings.Cut(after, " ")
	return addr("127.0.0.1:" + port).Port()
}

// ear is a phone's RTP socket.
type ear struct {
	conn net.PacketConn
	got  []rtp.Packet
	raw  bytes.Buffer
	done chan struct{}
}

func (w *world) ear(at string) *ear {
	c, err := w.net.Packet(addr(at))
	if err != nil {
		w.t.Fatal(err)
	}
	e := &ear{conn: c, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		buf := make([]byte, 2048)
		for {
			n, _, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			var p rtp.Packet
			e.raw.Write(buf[:n])
			if p.Unmarshal(bytes.Clone(buf[:n])) == nil {
				e.got = append(e.got, p)
			}
		}
	}()
	return e
}

func (e *ear) off() {
	e.conn.Close()
	<-e.done
}

// speak sends frames of one byte each at the pace of speech.
func (e *ear) speak(to uint16, pt uint8, fill byte, frames int) {
	for i := range frames {
		p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: uint16(i),
			Timestamp: uint32(160 * i), SSRC: 0xC0A84D17}, Payload: bytes.Repeat([]byte{fill}, 160)}
		b, err := p.Marshal()
		if err != nil {
			panic(err)
		}
		e.conn.WriteTo(b, net.UDPAddrFromAddrPort(netip.AddrPortFrom(
			netip.MustParseAddr("127.0.0.1"), to)))
		pass(20 * time.Millisecond)
	}
}

// heard counts packets filled with one byte.
func (e *ear) heard(fill byte) (n int) {
	for _, p := range e.got {
		if len(p.Payload) == 160 && p.Payload[0] == fill && p.Payload[159] == fill {
			n++
		}
	}
	return n
}

// phones are alice's and bob's, registered, with their ears; bob answers what sdp says.
type phones struct {
	w            *world
	alice, bob   *handset
	earA, earB   *ear
	callA        *ask
	okA          *sipmsg.Response
	inviteB      *sipmsg.Request
	portA, portB uint16
}

func (w *world) phones() *phones {
	f := &phones{w: w, alice: w.phoneAt("alice", "192.168.77.23:5070", doorA),
		bob: w.phoneOver("bob", doorB), earA: w.ear("192.168.77.23:4000"), earB: w.ear("127.0.0.1:4100")}
	f.alice.register()
	f.bob.register()
	f.bob.script(func(r *sipmsg.Request) {
		switch r.Method {
		case sipmsg.INVITE:
			f.bob.reply(r, 180, "", nil)
			f.bob.reply(r, 200, "", []byte(plainSDP(4100, "8 101")))
		case sipmsg.ACK:
		default:
			f.bob.reply(r, 200, "", nil)
		}
	})
	return f
}

func (f *phones) off() {
	f.alice.off()
	f.bob.off()
	f.earA.off()
	f.earB.off()
}

// plainSDP describes a session without any mark.
func plainSDP(port int, formats string, lines ...string) string {
	return strings.Join(append([]string{"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-",
		"c=IN IP4 127.0.0.1", "t=0 0", "m=audio " + strconv.Itoa(port) + " RTP/AVP " + formats, "a=rtpmap:101 telephone-event/8000"}, lines...),
		"\r\n") + "\r\n"
}

// connect makes alice call bob and checks that both are on.
func (f *phones) connect() bool {
	f.callA = f.alice.invite("bob", sdp(4000))
	f.okA = f.callA.do()
	if f.okA.StatusCode != 200 {
		f.w.t.Errorf("alice got %v", f.okA)
		return false
	}
	f.callA.ack(f.okA)
	invites := f.bob.requests(sipmsg.INVITE)
	if len(invites) != 1 || len(f.bob.requests(sipmsg.ACK)) != 1 {
		f.w.t.Errorf("bob got %d INVITE", len(invites))
		return false
	}
	f.inviteB = invites[0]
	f.portA, f.portB = rtpPort(f.w.t, f.okA.Body()), rtpPort(f.w.t, f.inviteB.Body())
	return true
}
