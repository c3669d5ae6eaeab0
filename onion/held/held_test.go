// What is held ends with its owner.

package held

import (
	"net"
	"testing"
)

func TestAllEndsWithItsOwner(t *testing.T) {
	var s Set
	a, b := net.Pipe()
	c, err := s.Conn(a)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Packets(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Close() || s.Close() {
		t.Error("the first Close is not told from the second")
	}
	if _, err := b.Write([]byte("x")); err == nil {
		t.Error("the stream is open")
	}
	if _, err := p.WriteTo([]byte("x"), raw.LocalAddr()); err == nil {
		t.Error("the socket is open")
	}
	c.Close()
	late, far := net.Pipe()
	if _, err := s.Conn(late); err != net.ErrClosed {
		t.Errorf("held after the end: %v", err)
	}
	if _, err := far.Write([]byte("x")); err == nil {
		t.Error("what came too late is open")
	}
}

func TestWhatIsClosedIsNotKept(t *testing.T) {
	var s Set
	for range 3 {
		a, _ := net.Pipe()
		c, err := s.Conn(a)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	if len(s.open) != 0 {
		t.Errorf("%d are kept", len(s.open))
	}
}
