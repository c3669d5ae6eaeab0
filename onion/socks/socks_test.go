// The conversation is as written, ends with its context, and believes nothing that is not SOCKS.

package socks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script is a proxy that answers with fixed bytes and notes what it was asked.
type script struct {
	io.Reader
	asked bytes.Buffer
}

func (s *script) Write(b []byte) (int, error) { return s.asked.Write(b) }

func proxy(answer ...byte) *script { return &script{Reader: bytes.NewReader(answer)} }

var granted = []byte{5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0}

func TestConversationIsAsWritten(t *testing.T) {
	p := proxy(append(granted, "stream"...)...)
	if err := ask(p, Login{"user", "-"}, "host", 0x1234); err != nil {
		t.Fatal(err)
	}
	want := "\x05\x01\x02" + "\x01\x04user\x01-" + "\x05\x01\x00\x03\x04host\x12\x34"
	if got := p.asked.String(); got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
	if rest, _ := io.ReadAll(p); string(rest) != "stream" {
		t.Errorf("left of the stream: %q", rest)
	}
}

func TestRefusalsAreToldApart(t *testing.T) {
	for code := 1; code < 256; code++ {
		answer := bytes.Clone(granted)
		answer[5] = byte(code)
		var refusal Refusal
		if err := ask(proxy(answer...), Login{"u", "p"}, "h", 1); !errors.As(err, &refusal) ||
			refusal != Refusal(code) {
			t.Errorf("code %d: %v", code, err)
		}
	}
}

func TestOnlySocksIsBelieved(t *testing.T) {
	for _, answer := range [][]byte{
		{4, 2}, {5, 0}, {5, 255}, // another version, no login, nothing offered
		{5, 2, 1, 1}, {5, 2, 5, 0}, // login refused
		{5, 2, 1, 0, 4, 0, 0, 1}, {5, 2, 1, 0, 5, 0, 9, 1}, {5, 2, 1, 0, 5, 0, 0, 2},
	} {
		if err := ask(proxy(answer...), Login{"u", "p"}, "h", 1); !errors.Is(err, ErrProtocol) {
			t.Errorf("answer %x: %v", answer, err)
		}
	}
	for n := range granted {
		if err := ask(proxy(granted[:n]...), Login{"u", "p"}, "h", 1); err == nil {
			t.Errorf("%d of %d bytes were enough", n, len(granted))
		}
	}
}

func TestImpossibleRequestsAreRefused(t *testing.T) {
	long := strings.Repeat("a", 256)
	ok := Login{"u", "p"}
	for _, r := range []struct {
		login Login
		host  string
		port  uint16
	}{
		{Login{"", "p"}, "h", 1}, {Login{"u", ""}, "h", 1}, {Login{long, "p"}, "h", 1},
		{Login{"u", long}, "h", 1}, {ok, "", 1}, {ok, long, 1}, {ok, "h", 0},
		{Login{"<torS0X>0", "p"}, "h", 1},
	} {
		_, err := Dial(t.Context(), at(filepath.Join(t.TempDir(), "none")), r.login, r.host, r.port)
		if !errors.Is(err, ErrRequest) {
			t.Errorf("%.10q %.10q %d: %v", r.login, r.host, r.port, err)
		}
	}
}

// listen is a unix socket in whose backlog connections stay unanswered.
func listen(t *testing.T) (string, net.Listener) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return path, l
}

func TestDialEndsWithItsContextAndHangsUp(t *testing.T) {
	path, l := listen(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user hung up")
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		io.ReadFull(c, make([]byte, 3)) // it has begun to ask
		cancel(why)
		io.Copy(io.Discard, c) // returns when the dialler hangs up
		l.Close()
	}()
	if _, err := Dial(ctx, at(path), Login{"u", "p"}, "h", 1); err != why {
		t.Errorf("dial ended with %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the dialler did not hang up: %v", err)
	}
}

func TestErrorsHoldNoPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret-name")
	if _, err := Dial(t.Context(), at(path), Login{"u", "p"}, "h", 1); err == nil ||
		strings.Contains(err.Error(), "secret-name") {
		t.Errorf("error %v", err)
	}
}

func TestStreamOutlivesTheContext(t *testing.T) {
	path, l := listen(t)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if c.SetDeadline(time.Now().Add(10*time.Second)) == nil {
			go io.Copy(io.Discard, c)
			c.Write(append(granted, "hello"...))
			io.Copy(io.Discard, c)
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	c, err := Dial(ctx, at(path), Login{"u", "p"}, "h", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	b := make([]byte, 5)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
		t.Errorf("read %q, %v", b, err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(granted)
	f.Add([]byte{5, 2, 1, 0, 5, 0xF0, 0, 3, 2, 'a', 'b', 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := proxy(b...)
		err := ask(p, Login{"u", "p"}, "h", 1)
		var refusal Refusal
		if rest, _ := io.ReadAll(p); err == nil || errors.As(err, &refusal) {
			if used := len(b) - len(rest); used < len(granted)-4 {
				t.Errorf("%d bytes were an answer", used)
			}
		}
	})
}

// at dials a unix socket.
func at(path string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
}
