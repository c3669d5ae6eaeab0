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

func TestTooMuchIsRefused(t *testing.T) {
	node := netip.MustParseAddrPort("1.2.3.4:6881")
	if _, err := (Frame{node, make([]byte, MaxPayload+1)}).Append(nil); !errors.Is(err, ErrFrame) {
		t.Error("a datagram over the limit was framed")
	}
	v6 := netip.MustParseAddrPort("[2001:db8::1]:6881")
	if _, err := (Frame{v6, nil}).Append(nil); !errors.Is(err, ErrFrame) {
		t.Error("an IPv6 node was framed")
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
