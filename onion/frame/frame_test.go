// What is read writes itself again, and nothing else is read.

package frame

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"testing"
)

func TestLayoutIsAsWritten(t *testing.T) {
	f := Frame{netip.MustParseAddrPort("1.2.3.4:6881"), []byte("hi")}
	got, err := f.Append(nil)
	want := []byte{0, 8, 1, 2, 3, 4, 0x1a, 0xe1, 'h', 'i'}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, want %x (%v)", got, want, err)
	}
	ask, _ := Frame{Node: Control()}.Append(nil)
	if want := []byte{0, 6, 0, 0, 0, 0, 0, 0}; !bytes.Equal(ask, want) {
		t.Errorf("the question for nodes is %x, want %x", ask, want)
	}
}

func TestLayoutOfIPv6IsAsWritten(t *testing.T) {
	f := Frame{netip.MustParseAddrPort("[2a00::1]:6881"), []byte("hi")}
	got, err := f.Append(nil)
	want := []byte{0, 24, 0, 0, 0, 6, 0x1a, 0xe1, 0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		'h', 'i'}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, want %x (%v)", got, want, err)
	}
	// Who knows nothing of IPv6 takes it for a datagram to an address that it never sends to.
	for _, private := range []bool{false, true} {
		if MaySend(netip.MustParseAddrPort("0.0.0.6:6881"), private) {
			t.Error("an old gateway would send it somewhere")
		}
	}
	answer := Append6(nil, true, []netip.AddrPort{f.Node})
	if want := append([]byte{6, 1}, got[8:24]...); !bytes.Equal(answer[:18], want) ||
		!Is6(answer) || Is6(AppendNodes(nil, []netip.AddrPort{to("1.2.3.4", 1)})) {
		t.Errorf("the answer is %x, want %x", answer, want)
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	node := netip.MustParseAddrPort("1.2.3.4:6881")
	if _, err := (Frame{node, make([]byte, MaxPayload+1)}).Append(nil); !errors.Is(err, ErrFrame) {
		t.Error("a datagram over the limit was framed")
	}
	for _, no := range []string{"[::ffff:1.2.3.4]:1", "[fe80::1%a]:1", "0.0.0.6:1"} {
		f := Frame{netip.MustParseAddrPort(no), nil}
		if _, err := f.Append(nil); !errors.Is(err, ErrFrame) {
			t.Errorf("%s was framed", no)
		}
	}
	v6 := Frame{netip.MustParseAddrPort("[2a00::1]:6881"), make([]byte, MaxPayload-15)}
	if _, err := v6.Append(nil); !errors.Is(err, ErrFrame) {
		t.Error("a datagram over the limit was framed for IPv6")
	}
	mapped := netip.MustParseAddr("::ffff:1.2.3.4")
	disguise := append([]byte{0, 22, 0, 0, 0, 6, 1, 1}, mapped.AsSlice()...)
	_, err := Read(bytes.NewReader(disguise), make([]byte, MaxFrame))
	if !errors.Is(err, ErrFrame) {
		t.Errorf("read an IPv4 address in disguise: %v", err)
	}
	for _, stream := range [][]byte{{0, 0}, {0, 5, 1, 2, 3, 4, 5}, {5, 227}, {255, 255}} {
		r := bytes.NewReader(append(stream, make([]byte, 70000)...))
		_, err := Read(r, make([]byte, MaxFrame))
		if !errors.Is(err, ErrFrame) {
			t.Errorf("read %x: %v", stream, err)
		}
	}
}

func TestEndInsideAFrameIsNotAnEnd(t *testing.T) {
	whole, _ := Frame{netip.MustParseAddrPort("1.2.3.4:6881"), []byte("hi")}.Append(nil)
	for n := range whole {
		_, err := Read(bytes.NewReader(whole[:n]), make([]byte, MaxFrame))
		if n == 0 && err != io.EOF || n > 0 && err != io.ErrUnexpectedEOF {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{0, 8, 1, 2, 3, 4, 0x1a, 0xe1, 'h', 'i'})
	f.Add([]byte{0, 6, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0, 5, 0, 0, 0, 0, 0})
	v6, _ := Frame{netip.MustParseAddrPort("[2a00::1]:6881"), []byte("hi")}.Append(nil)
	f.Add(v6)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		got, err := Read(r, make([]byte, MaxFrame))
		if err != nil {
			return
		}
		again, err := got.Append(nil)
		if err != nil || !bytes.Equal(again, b[:len(b)-r.Len()]) {
			t.Errorf("read %x, wrote %x (%v)", b, again, err)
		}
	})
}

func FuzzNodes(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 0x1a, 0xe1})
	f.Add(make([]byte, 6*17))
	f.Fuzz(func(t *testing.T, b []byte) {
		nodes, err := ParseNodes(b)
		if err == nil && !bytes.Equal(AppendNodes(nil, nodes), b) {
			t.Errorf("read %x as %v", b, nodes)
		}
	})
}

func FuzzNodes6(f *testing.F) {
	f.Add([]byte{6, 0})
	f.Add(Append6(nil, true, []netip.AddrPort{netip.MustParseAddrPort("[2a00::1]:6881")}))
	f.Add(append([]byte{6, 1}, make([]byte, 17*18)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		carries, nodes, err := Parse6(b)
		if err == nil && !bytes.Equal(Append6(nil, carries, nodes), b) {
			t.Errorf("read %x as %v", b, nodes)
		}
	})
}
