// Claims about what a relay answers, and to what.

package relay

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/meet/walk"
)

// minimal is a DNS message without records.
var minimal = []byte("\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00")

func item(seed byte, seq int64, value []byte) walk.Item {
	priv := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32))
	i := walk.Item{Key: [32]byte(priv[32:]), Seq: seq, Value: value}
	i.Sig = [64]byte(ed25519.Sign(priv, walk.SigningBytes(seq, value)))
	return i
}

// talk sends raw bytes to a server whose network is empty, and returns what it says.
func talk(t *testing.T, s *Server, raw string) string {
	t.Helper()
	near, far := net.Pipe()
	go s.Serve(t.Context(), far)
	go func() { _, _ = io.WriteString(near, raw) }()
	_ = near.SetReadDeadline(time.Now().Add(life))
	b, _ := io.ReadAll(near)
	return string(b)
}

// nowhere leads to no node.
func nowhere(context.Context) (net.PacketConn, []netip.AddrPort, error) {
	return nil, nil, walk.ErrNoNodes
}

func TestBadRequestsGetTheirStatus(t *testing.T) {
	name := Name(item(1, 1, minimal).Key)
	good := string(Marshal(item(1, 1, minimal)))
	forged := strings.Repeat("x", 64) + good[64:]
	noDNS := string(Marshal(item(1, 1, []byte("hello"))))
	for _, c := range []struct{ name, raw, want string }{
		{"no key", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
		{"half a key", "GET /" + name[:20] + " HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
		{"a path below", "GET /" + name + "/x HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
		{"another method", "POST /" + name + " HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
		{"preflight", "OPTIONS /" + name + " HTTP/1.1\r\nHost: x\r\n\r\n", "204"},
		{"no nodes", "GET /" + name + " HTTP/1.1\r\nHost: x\r\n\r\n", "503"},
		{"forged", put(name, forged), "400"},
		{"no DNS", put(name, noDNS), "400"},
		{"short", put(name, "x"), "400"},
		{"too large", put(name, strings.Repeat("x", maxBody+1)), "413"},
		{"good, but no nodes", put(name, good), "500"},
	} {
		synctest.Test(t, func(t *testing.T) {
			got := talk(t, NewServer(nowhere), c.raw)
			if !strings.HasPrefix(got, "HTTP/1.1 "+c.want) {
				t.Errorf("%s: %q", c.name, got)
			}
			if !strings.Contains(got, "Access-Control-Allow-Origin: *") {
				t.Errorf("%s: no page could read it", c.name)
			}
		})
	}
}

func put(name, body string) string {
	return "PUT /" + name + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
		itoa(len(body)) + "\r\n\r\n" + body
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// Of two who store under one key at a time the second has to say what it means to replace: else
// each could undo the other unseen.
func TestTwoAtOneKeyHaveToSayWhatTheyReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := func(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
			<-ctx.Done()
			return nil, nil, ctx.Err()
		}
		s := NewServer(open)
		one, two := item(1, 1, minimal), item(1, 2, minimal)
		name, status := Name(one.Key), make(chan string)
		store := func(i walk.Item, head string) {
			raw := strings.Replace(put(name, string(Marshal(i))), "\r\n\r\n", "\r\n"+head+"\r\n", 1)
			status <- talk(t, s, raw)[9:12]
		}
		go store(one, "")
		synctest.Wait()
		go store(two, "Connection: close\r\n")
		if got := <-status; got != "428" {
			t.Errorf("another: %s", got)
		}
		go store(one, "")
		go store(two, "If-Match: 1\r\n")
		for range 3 {
			if got := <-status; got != "500" {
				t.Errorf("the same again, or one that says what it replaces: %s", got)
			}
		}
		if len(s.putting) != 0 {
			t.Errorf("%d are remembered", len(s.putting))
		}
	})
}

func TestStreamThatIsNoHTTPIsHungUpOn(t *testing.T) {
	for _, raw := range []string{"\x00\x01", "GET\r\n\r\n",
		"GET /" + strings.Repeat("x", 9000) + " HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\n" + strings.Repeat("a: b\r\n", 2000) + "\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			if got := talk(t, NewServer(nowhere), raw+strings.Repeat("\n", 1)); got != "" {
				t.Errorf("%.20q: %q", raw, got)
			}
		})
	}
}

func TestFastClientWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, begun := "GET / HTTP/1.1\r\nHost: x\r\n\r\n", time.Now()
		got := talk(t, NewServer(nowhere), strings.Repeat(one, askBurst+20))
		if n := strings.Count(got, "HTTP/1.1 400"); n != askBurst+20 {
			t.Errorf("%d answers", n)
		}
		if d := time.Since(begun) - idle; d < 10*time.Second {
			t.Errorf("20 requests beyond the burst took %v", d)
		}
	})
}

func TestFloodOfWalksIsRefusedAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := func(ctx context.Context) (net.PacketConn, []netip.AddrPort, error) {
			<-ctx.Done() // a gateway that is very slow
			return nil, nil, ctx.Err()
		}
		s, ask := NewServer(open), "GET /"+Name([32]byte{1})+" HTTP/1.1\r\nHost: x\r\n\r\n"
		status := make(chan string)
		for range 3 * maxWalks {
			go func() { status <- talk(t, s, ask)[9:12] }()
		}
		count := map[string]int{}
		for range 3 * maxWalks {
			count[<-status]++
		}
		if count["503"] != maxWalks || count["429"] != 2*maxWalks {
			t.Errorf("%v", count)
		}
	})
}

func TestClientBelievesOnlyWhatIsSigned(t *testing.T) {
	good := item(1, 7, minimal)
	other := Marshal(item(2, 7, minimal))
	for _, c := range []struct {
		answer string
		want   error
	}{
		{"200 OK\r\nContent-Length: 84\r\n\r\n" + string(Marshal(good)), nil},
		{"200 OK\r\nContent-Length: 84\r\n\r\n" + string(other), ErrRelay},
		{"200 OK\r\nContent-Length: 5\r\n\r\nhello", ErrRelay},
		{"200 OK\r\n\r\n" + strings.Repeat("x", maxAnswer), ErrRelay},
		{"404 No\r\nContent-Length: 0\r\n\r\n", ErrNotFound},
		{"302 Elsewhere\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", ErrRelay},
		{"nonsense", ErrRelay},
	} {
		near, far := net.Pipe()
		go func() {
			_, _ = far.Read(make([]byte, 4096))
			_, _ = io.WriteString(far, "HTTP/1.1 "+c.answer)
			_ = far.Close()
		}()
		l := &Link{Stream: near, Host: "x"}
		if _, err := l.Get(t.Context(), good.Key); !errors.Is(err, c.want) {
			t.Errorf("%.30q: %v", c.answer, err)
		}
		_ = near.Close()
	}
}

func TestRequestNamesNoProgram(t *testing.T) {
	near, far := net.Pipe()
	heard := make(chan string)
	go func() {
		b := make([]byte, 4096)
		n, _ := far.Read(b)
		_ = far.Close()
		heard <- string(b[:n])
	}()
	l := &Link{Stream: near, Host: "gateway"}
	_, _ = l.Get(t.Context(), [32]byte{1})
	if want := "GET /" + Name([32]byte{1}) + " HTTP/1.1\r\nHost: gateway\r\n\r\n"; want != <-heard {
		t.Error("a request says more than it must")
	}
}

func TestSilentRelayIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		go func() { _, _ = io.Copy(io.Discard, far) }()
		begun := time.Now()
		_, err := (&Link{Stream: near, Host: "x"}).Get(t.Context(), [32]byte{1})
		if !errors.Is(err, ErrRelay) || time.Since(begun) > answerTime {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		_ = near.Close()
	})
}

func FuzzUnmarshal(f *testing.F) {
	i := item(1, 7, minimal)
	f.Add(i.Key[:], Marshal(i))
	f.Fuzz(func(t *testing.T, key, b []byte) {
		if len(key) != 32 {
			return
		}
		got, err := Unmarshal([32]byte(key), b)
		if err == nil && !bytes.Equal(Marshal(got), b) {
			t.Errorf("%x became %x", b, Marshal(got))
		}
		message(b)
	})
}

func FuzzParseName(f *testing.F) {
	f.Add(Name([32]byte{1}))
	f.Fuzz(func(t *testing.T, s string) {
		if key, ok := ParseName(s); ok && Name(key) != s {
			t.Errorf("%q became %q", s, Name(key))
		}
	})
}
