// Claims about the wrapped sockets, in memory and on fake time.

package gate

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/sip/sockets"
)

var (
	door = netip.MustParseAddrPort("127.0.0.1:5060")
	here = netip.MustParseAddr("127.0.0.1")
)

// record is what reached the stack, over all connections.
type record struct {
	mu sync.Mutex
	b  strings.Builder
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// streamScene gives a gated listener and a way to connect to it. The stack reads everything.
func streamScene(t *testing.T, act func(dial func() net.Conn, passed *record, g *Gate)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := sockets.NewMemory()
		inner, err := m.Stream(door)
		if err != nil {
			t.Fatal(err)
		}
		g := New(user, password)
		l := g.Listener(inner)
		var passed record
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					io.Copy(&passed, c)
				}()
			}
		}()
		var open []net.Conn
		act(func() net.Conn {
			c, err := m.Dial(here, door)
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, c)
			return c
		}, &passed, g)
		for _, c := range open {
			c.Close()
		}
		l.Close()
		<-time.After(2 * Linger)
	})
}

// exchange writes to a connection and reads one reply head.
func exchange(t *testing.T, c net.Conn, r *bufio.Reader, text string) string {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	var reply strings.Builder
	for !strings.HasSuffix(reply.String(), "\r\n\r\n") {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		reply.WriteString(line)
	}
	return reply.String()
}

func TestMessagesAreCutOffAStreamWhereTheyEnd(t *testing.T) {
	streamScene(t, func(dial func() net.Conn, passed *record, _ *Gate) {
		c := dial()
		r := bufio.NewReader(c)
		reply := exchange(t, c, r, ask("REGISTER", "a", ""))
		text := "\r\n" + ask("REGISTER", "b", sign(t, []byte(reply), user, password,
			"REGISTER", 1)) + "\r\n\r\n" + ask("BYE", "c", "")
		go io.Copy(io.Discard, r)
		for i := range len(text) { // one byte at a time
			if _, err := io.WriteString(c, text[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := strings.Count(passed.String(), " SIP/2.0\r\n"); got != 2 {
			t.Errorf("%d messages passed:\n%s", got, passed)
		}
	})
}

func TestKeepAliveIsAnsweredAtTheGate(t *testing.T) {
	streamScene(t, func(dial func() net.Conn, passed *record, _ *Gate) {
		c := dial()
		if _, err := io.WriteString(c, "\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		pong := make([]byte, 2)
		if _, err := io.ReadFull(c, pong); err != nil || string(pong) != "\r\n" {
			t.Errorf("pong %q, %v", pong, err)
		}
		if passed.String() != "" {
			t.Error("the keep-alive reached the stack")
		}
	})
}

func TestSilentStrangersAreHungUpOn(t *testing.T) {
	streamScene(t, func(dial func() net.Conn, _ *record, _ *Gate) {
		begin := time.Now()
		slow, ended := dial(), make(chan struct{})
		go func() {
			defer close(ended)
			for range 1000 { // a valid byte now and then keeps nothing open
				<-time.After(time.Second)
				if _, err := io.WriteString(slow, "A"); err != nil {
					return
				}
			}
		}()
		_, err := dial().Read(make([]byte, 1))
		if err == nil || time.Since(begin) > strangerTime+Linger {
			t.Errorf("a silent stranger was kept for %v, %v", time.Since(begin), err)
		}
		_, err = slow.Read(make([]byte, 1))
		if err == nil || time.Since(begin) > strangerTime+Linger {
			t.Errorf("a slow stranger was kept for %v, %v", time.Since(begin), err)
		}
		<-ended
	})
}

func TestCrowdDoesNotTakeMoreThanItsPlaces(t *testing.T) {
	streamScene(t, func(dial func() net.Conn, _ *record, _ *Gate) {
		for range maxConns {
			dial()
		}
		begin := time.Now()
		if _, err := dial().Read(make([]byte, 1)); err == nil || time.Since(begin) > 0 {
			t.Errorf("one too many was let in: %v", err)
		}
		<-time.After(strangerTime + time.Second)
		if _, err := io.WriteString(dial(), "\r\n\r\n"); err != nil {
			t.Errorf("the places were not given back: %v", err)
		}
	})
}

func TestStreamWithoutEndIsClosed(t *testing.T) {
	bad := map[string]string{
		"no length":    strings.Replace(ask("OPTIONS", "a", ""), "Content-Length: 0\r\n", "", 1),
		"two lengths":  ask("OPTIONS", "a", "Content-Length: 0\r\n"),
		"short length": ask("OPTIONS", "a", "l: 5\r\n"),
		"huge length": strings.Replace(ask("OPTIONS", "a", ""), "Length: 0", "Length: 60000",
			1),
		"negative": strings.Replace(ask("OPTIONS", "a", ""), "Length: 0", "Length: -1", 1),
		"endless":  "OPTIONS sip:a SIP/2.0\r\n" + strings.Repeat("X: y\r\n", 5000),
		"websocket": "GET / HTTP/1.1\r\nHost: 127.0.0.1:5060\r\nUpgrade: websocket\r\n" +
			"Origin: https://evil.example\r\n\r\n",
		"long line": strings.Repeat("y", 70000),
	}
	for name, text := range bad {
		streamScene(t, func(dial func() net.Conn, passed *record, _ *Gate) {
			c := dial()
			begin := time.Now()
			go io.WriteString(c, text)
			if _, err := c.Read(make([]byte, 1)); err == nil || time.Since(begin) > Linger {
				t.Errorf("%s: not closed at once: %v", name, err)
			}
			if passed.String() != "" {
				t.Errorf("%s: passed", name)
			}
		})
	}
}

func TestClosedConnectionIsForgotten(t *testing.T) {
	streamScene(t, func(dial func() net.Conn, _ *record, g *Gate) {
		c := dial()
		r := bufio.NewReader(c)
		reply := exchange(t, c, r, ask("REGISTER", "a", ""))
		if _, err := io.WriteString(c, ask("REGISTER", "b", sign(t, []byte(reply), user,
			password, "REGISTER", 1))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		at := netip.MustParseAddrPort(c.LocalAddr().String())
		if !g.Known(at) {
			t.Fatal("not known after the right password")
		}
		c.Close()
		<-time.After(2 * Linger)
		if g.Known(at) {
			t.Error("a stranger who gets the same port is taken for the phone")
		}
	})
}

func TestDatagramsLeaveOnlyToThisMachine(t *testing.T) {
	m := sockets.NewMemory()
	inner, err := m.Packet(door)
	if err != nil {
		t.Fatal(err)
	}
	g := New(user, password)
	p := g.Packet(inner)
	lan := netip.MustParseAddrPort("192.168.77.23:5070")
	if _, err := p.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(lan)); !errors.Is(err,
		ErrDestination) || len(m.Strays()) != 0 {
		t.Fatalf("sent to a stranger: %v, %v strays", err, m.Strays())
	}
	// the naive way: what the stack writes goes where the message says
	if _, err := inner.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(lan)); err != nil ||
		m.Strays()[lan] != 1 {
		t.Fatalf("the naive way sends nothing either: %v", err)
	}
	g.senders.learn(lan, time.Now())
	if _, err := p.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(lan)); err != nil {
		t.Errorf("the phone's own address is refused: %v", err)
	}
}

func TestUdpListenerOutlivesGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := sockets.NewMemory()
		inner, err := m.Packet(door)
		if err != nil {
			t.Fatal(err)
		}
		p := New(user, password).Packet(inner)
		from, err := m.Packet(phoneAt.at)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			p.ReadFrom(make([]byte, 65536))
			close(ended)
		}()
		to := net.UDPAddrFromAddrPort(door)
		for _, raw := range []string{"", "\x00", "\r\n\r\n", strings.Repeat("A", 60000)} {
			if _, err := from.WriteTo([]byte(raw), to); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := from.WriteTo([]byte(ask("OPTIONS", "a", "")), to); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2048)
		n, _, err := from.ReadFrom(buf)
		if err != nil || code(buf[:n]) != "407" {
			t.Errorf("after garbage: %q %v", buf[:n], err)
		}
		select {
		case <-ended:
			t.Error("garbage ended the listener")
		default:
		}
		p.Close()
		<-ended
		from.Close()
	})
}
