// A proxy of the test's own, which can misbehave.

package socks5

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// script is a proxy that says what it is told to, on a pipe for each connection.
type script struct {
	says [][]byte // one after the other, each after something was heard
	mu   sync.Mutex
	got  bytes.Buffer
	end  net.Conn // the proxy's end of the last connection
	udp  net.Conn // and of the last relay
	to   []netip.AddrPort
}

func (s *script) open(_ context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	near, far := net.Pipe()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = append(s.to, to)
	if network == "udp" {
		s.udp = far
		return near, nil
	}
	s.end = far
	says := s.says
	go func() {
		b := make([]byte, 1024)
		for _, say := range says {
			n, err := far.Read(b)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.got.Write(b[:n])
			s.mu.Unlock()
			far.Write(say)
		}
	}()
	return near, nil
}

func (s *script) config() Config {
	return Config{Proxy: netip.MustParseAddrPort("192.0.2.1:1080"), Open: s.open}
}

var (
	in      = []byte{5, 0}
	relayed = []byte{5, 0, 0, 1, 192, 0, 2, 1, 0x1a, 0xe1}
)

func opened(t *testing.T, s *script) *Proxy {
	t.Helper()
	p, err := Open(t.Context(), s.config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestDatagramsGoToTheRelayAlone(t *testing.T) {
	for name, at := range map[string][]byte{"own": relayed,
		"0.0.0.0": {5, 0, 0, 1, 0, 0, 0, 0, 0x1a, 0xe1}} {
		s := &script{says: [][]byte{in, at}}
		c, err := opened(t, s).ListenPacket(t.Context())
		if err != nil {
			t.Fatal(name, err)
		}
		if to := s.to[len(s.to)-1]; to != netip.MustParseAddrPort("192.0.2.1:6881") {
			t.Errorf("%s: the relay is sought elsewhere", name)
		}
		go c.WriteTo([]byte("hi"), &net.UDPAddr{IP: net.ParseIP("198.51.100.7"), Port: 258})
		b := make([]byte, 100)
		n, err := s.udp.Read(b)
		want := "\x00\x00\x00\x01\xc6\x33\x64\x07\x01\x02hi"
		if err != nil || string(b[:n]) != want {
			t.Errorf("%s: sent %q", name, b[:n])
		}
		go func() {
			s.udp.Write([]byte("\x00\x00\x01\x01\xc6\x33\x64\x07\x01\x02fragment"))
			s.udp.Write([]byte("\x00\x00\x00\x03\x01x\x01\x02name"))
			s.udp.Write([]byte("\x00\x00\x00\x01\xc6\x33\x64\x07\x01\x02ho"))
		}()
		n, from, err := c.ReadFrom(b)
		if err != nil || string(b[:n]) != "ho" || from.String() != "198.51.100.7:258" {
			t.Errorf("%s: read %q from %v, %v", name, b[:n], from, err)
		}
	}
}

func TestRelayElsewhereIsNotFollowed(t *testing.T) {
	for name, at := range map[string][]byte{
		"another host": {5, 0, 0, 1, 198, 51, 100, 9, 1, 2},
		"loopback":     {5, 0, 0, 1, 127, 0, 0, 1, 1, 2},
		"name":         {5, 0, 0, 3, 1, 'x', 1, 2},
		"port 0":       {5, 0, 0, 1, 192, 0, 2, 1, 0, 0},
	} {
		s := &script{says: [][]byte{in, at}}
		_, err := opened(t, s).ListenPacket(t.Context())
		if !errors.Is(err, ErrRelay) || len(s.to) != 2 {
			t.Errorf("%s: %v, and %d sockets", name, err, len(s.to))
		}
	}
	naive := func(answer []byte) netip.AddrPort { // takes the answer at its word
		at, _ := readAnswer(bytes.NewReader(answer))
		return at
	}
	if got := naive([]byte{5, 0, 0, 1, 127, 0, 0, 1, 1, 2}); !got.Addr().IsLoopback() {
		t.Errorf("a naive client would not be led astray, to %v: this test proves nothing", got)
	}
}

func TestLostControlEndsTheSocket(t *testing.T) {
	for name, end := range map[string]func(*script){
		"closed":  func(s *script) { s.end.Close() },
		"chatter": func(s *script) { s.end.Write([]byte{5}) },
	} {
		s := &script{says: [][]byte{in, relayed}}
		c, err := opened(t, s).ListenPacket(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error)
		go func() {
			_, _, err := c.ReadFrom(make([]byte, 1))
			read <- err
		}()
		end(s)
		if err := <-read; err != ErrLost {
			t.Errorf("%s: read says %v", name, err)
		}
		<-c.(interface{ Lost() <-chan struct{} }).Lost()
		to := &net.UDPAddr{IP: net.IPv4(1, 2, 3, 4), Port: 5}
		if _, err := c.WriteTo([]byte("x"), to); err != ErrLost {
			t.Errorf("%s: write says %v", name, err)
		}
		if _, err := s.udp.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%s: the socket to the relay is open: %v", name, err)
		}
		c.Close()
		if _, _, err := c.ReadFrom(make([]byte, 1)); err != net.ErrClosed {
			t.Errorf("%s: after close: %v", name, err)
		}
	}
}

func TestLoginIsTheOneThatIsOffered(t *testing.T) {
	s := &script{says: [][]byte{{5, 2}, {1, 0}}}
	c := s.config()
	c.User, c.Password = "u", "secret"
	if _, err := Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got := s.got.String(); got != "\x05\x01\x02\x01\x01u\x06secret" {
		t.Errorf("said %q", got)
	}
	for name, x := range map[string]struct {
		says [][]byte
		err  error
	}{
		"none instead": {[][]byte{{5, 0}}, ErrProtocol},
		"refused":      {[][]byte{{5, 255}}, ErrDenied},
		"wrong":        {[][]byte{{5, 2}, {1, 1}}, ErrDenied},
		"SOCKS4":       {[][]byte{{4, 90}}, ErrProtocol},
	} {
		s := &script{says: x.says}
		c := s.config()
		c.User, c.Password = "u", "secret"
		if _, err := Open(t.Context(), c); !errors.Is(err, x.err) {
			t.Errorf("%s: %v, want %v", name, err, x.err)
		}
	}
	for _, bad := range []Config{{User: "u"}, {Password: "p"}, {User: strings.Repeat("u", 256),
		Password: "p"}} {
		if _, err := Open(t.Context(), bad); err != ErrLogin {
			t.Errorf("a login that cannot be sent: %v", err)
		}
	}
}

func TestStreamFollowsTheAnswer(t *testing.T) {
	s := &script{says: [][]byte{in, append(bytes.Clone(relayed), "first"...)}}
	p := opened(t, s)
	c, err := p.DialAddr(t.Context(), netip.MustParseAddrPort("[2001:db8::1]:443"))
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "first" {
		t.Errorf("the stream begins with %q, %v", b, err)
	}
	p.Close()
	<-p.Done()
	if _, err := c.Read(b); err == nil {
		t.Error("the stream outlives its way")
	}
	if _, err := p.ListenPacket(t.Context()); err == nil {
		t.Error("a socket of a closed way")
	}
	if _, err := p.DialAddr(t.Context(), netip.AddrPort{}); err != ErrAddress {
		t.Errorf("dial nowhere: %v", err)
	}
}

func TestAskingEndsWithItsContext(t *testing.T) {
	s := &script{} // says nothing
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, s.config()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a proxy that says nothing: %v", err)
	}
}

func TestDeadlinesHold(t *testing.T) {
	s := &script{says: [][]byte{in, relayed}}
	c, err := opened(t, s).ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(-time.Second))
	if _, _, err := c.ReadFrom(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
}

func FuzzDatagram(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\xc6\x33\x64\x07\x01\x02hi"))
	f.Add([]byte("\x00\x00\x00\x04abcdefghijklmnop\x01\x02hi"))
	mapped := strings.Repeat("\x00", 10) + "\xff\xff\x01\x02\x03\x04"
	f.Add([]byte("\x00\x00\x00\x04" + mapped + "\x01\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		from, payload, err := parseDatagram(b)
		if err != nil {
			return
		}
		if !bytes.Equal(appendDatagram(nil, from, payload), b) {
			t.Errorf("%q is not what was read", b)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(relayed)
	f.Add([]byte{5, 0, 0, 3, 1, 'x', 1, 2, 'r', 'e', 's', 't'})
	f.Add([]byte{5, 0, 0, 4, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		at, err := readAnswer(r)
		if err != nil || !at.IsValid() {
			return
		}
		read := b[:len(b)-r.Len()]
		again := appendAddress([]byte{5, 0, 0}, at)
		if !at.Addr().Is4In6() && !bytes.Equal(again, read) {
			t.Errorf("%q was read as %q", read, again)
		}
	})
}
