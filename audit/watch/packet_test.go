// Claims about reading headers.

package watch

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// encode writes the shortest packet that says p.
func encode(p Packet) []byte {
	var inner []byte
	switch p.Proto {
	case TCP, UDP:
		inner = binary.BigEndian.AppendUint16(nil, p.From.Port())
		inner = append(binary.BigEndian.AppendUint16(inner, p.To.Port()), make([]byte, 16)...)
		if p.Proto == TCP {
			inner[13] = p.Type
		}
	case ICMP, ICMPv6, IGMP:
		inner = []byte{p.Type, 0, 0, 0}
	}
	if p.From.Addr().Is4() {
		b := make([]byte, 20)
		b[0], b[9] = 0x45, p.Proto
		copy(b[12:], p.From.Addr().AsSlice())
		copy(b[16:], p.To.Addr().AsSlice())
		return append(b, inner...)
	}
	b := make([]byte, 40)
	b[0], b[6] = 0x60, p.Proto
	copy(b[8:], p.From.Addr().AsSlice())
	copy(b[24:], p.To.Addr().AsSlice())
	if p.Options {
		b[6] = 0
		b = append(b, p.Proto, 0, 0, 0, 0, 0, 0, 0)
	}
	return append(b, inner...)
}

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestHeadersSayWhoWritesToWhom(t *testing.T) {
	for _, want := range []Packet{
		{Proto: UDP, From: at("192.0.2.77:4000"), To: at("192.0.2.53:53")},
		{Proto: TCP, From: at("127.0.0.1:4000"), To: at("127.0.0.2:9001"), Type: flagSYN},
		{Proto: UDP, From: at("[2001:db8::77]:1"), To: at("[2001:db8:1::1]:53"), Options: true},
		{Proto: ICMPv6, From: at("[fe80::1]:0"), To: at("[ff02::2]:0"), Type: 133},
		{Proto: IGMP, From: at("192.0.2.77:0"), To: at("224.0.0.22:0"), Type: 0x22},
	} {
		if got, ok := Parse(encode(want)); !ok || got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestLaterFragmentHasNoPorts(t *testing.T) {
	b := encode(Packet{Proto: UDP, From: at("192.0.2.77:4000"), To: at("192.0.2.53:53")})
	b[7] = 8 // its place in the whole
	if p, ok := Parse(b); !ok || p.To.Port() != 0 || p.To.Addr() != at("192.0.2.53:0").Addr() {
		t.Errorf("got %+v", p)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encode(Packet{Proto: UDP, From: at("192.0.2.77:4000"), To: at("192.0.2.53:53")}))
	f.Add(encode(Packet{Proto: TCP, From: at("[::1]:4000"), To: at("[::1]:53"), Options: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := Parse(b)
		if !ok {
			return
		}
		switch p.Proto {
		case 0, 43, 44, 60: // headers that only come before another
			return
		}
		if again, ok := Parse(encode(p)); !ok || again != p {
			t.Errorf("%+v, and again %+v", p, again)
		}
	})
}
