// Who may leave by an outlet, and where to.

package outlet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nightjar/onion/socks5"
)

// far is where an outlet under test leads: every stream is answered with what it brings.
type far struct{ went chan netip.AddrPort }

func (f *far) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	f.went <- to
	if to.Port() == 1 {
		return nil, errors.New("nobody there")
	}
	if to.Port() == 2 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	near, there := net.Pipe()
	go func() {
		io.Copy(there, there)
		there.Close()
	}()
	return near, nil
}

func serve(t *testing.T) (*Outlet, *far) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &far{make(chan netip.AddrPort, 16)}
	o := Serve(l, NewLogin(), f.dial)
	t.Cleanup(func() { o.Close() })
	return o, f
}

// client enters an outlet as a tor with these options would.
func client(t *testing.T, torrc []string) (*socks5.Proxy, error) {
	t.Helper()
	value := func(n int) string { return strings.Fields(torrc[n])[1] }
	open := func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, to.String())
	}
	p, err := socks5.Open(t.Context(), socks5.Config{Proxy: netip.MustParseAddrPort(value(0)),
		User: value(1), Password: value(2), Open: open})
	if err == nil {
		t.Cleanup(func() { p.Close() })
	}
	return p, err
}

func TestStreamGoesWhereTheClientWants(t *testing.T) {
	o, f := serve(t)
	p, err := client(t, o.key.Torrc(o.listener.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"192.0.2.7:9001", "[2001:db8::1]:443"} {
		c, err := p.DialAddr(t.Context(), netip.MustParseAddrPort(to))
		if err != nil {
			t.Fatal(err)
		}
		if went := <-f.went; went.String() != to {
			t.Errorf("went to %v", went)
		}
		go io.WriteString(c, "hello")
		b := make([]byte, 5)
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
			t.Errorf("came back %q, %v", b, err)
		}
	}
	nobody := netip.MustParseAddrPort("192.0.2.7:1")
	if _, err := p.DialAddr(t.Context(), nobody); err != socks5.ErrRefused {
		t.Errorf("nobody there: %v", err)
	}
}

func TestStrangerOnThisMachineIsTurnedAway(t *testing.T) {
	o, f := serve(t)
	right := o.key.Torrc(o.listener.Addr())
	for n, wrong := range [][]string{{right[0], "u x", "p y"}, {right[0], right[1], "p y"}} {
		if _, err := client(t, wrong); err != socks5.ErrDenied {
			t.Errorf("stranger %d: %v", n, err)
		}
	}
	var c net.Dialer
	conn, err := c.DialContext(t.Context(), "tcp4", o.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50")) // without a login
	got, _ := io.ReadAll(conn)
	if !bytes.Equal(got, []byte{5, 255}) || len(f.went) > 0 {
		t.Errorf("a stranger without a login hears %q", got)
	}
	other, _ := serve(t)
	if other.key.User == o.key.User || other.key.Password == o.key.Password {
		t.Error("two outlets share a login")
	}
}

// knock connects and says nothing.
func knock(t *testing.T, o *Outlet) net.Conn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp4", o.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(helloTime / 2))
	return c
}

func TestStrangersHoldNoPlacesOfTheClient(t *testing.T) {
	o, f := serve(t)
	first := knock(t, o)
	for range most {
		knock(t, o)
	}
	if _, err := first.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the stranger who waits longest is not shown out: %v", err)
	}
	p, err := client(t, o.key.Torrc(o.listener.Addr()))
	if err != nil {
		t.Fatalf("strangers who say nothing keep the client out: %v", err)
	}
	for range 3 {
		to := netip.MustParseAddrPort("192.0.2.7:9")
		if _, err := p.DialAddr(t.Context(), to); err != nil || <-f.went != to {
			t.Errorf("strangers who say nothing keep streams out: %v", err)
		}
	}
	for range most { // who is let in is not shown out by them
		knock(t, o)
	}
	if len(o.slots) < 3 {
		t.Errorf("of three streams %d are left", len(o.slots))
	}
	n := &Outlet{key: o.key, dial: f.dial, slots: make(chan struct{}, most)}
	var failed error
	if n.listener, failed = net.Listen("tcp4", "127.0.0.1:0"); failed != nil {
		t.Fatal(failed)
	}
	n.work.Go(n.acceptNaively)
	t.Cleanup(func() { n.Close() })
	for range most {
		knock(t, n)
	}
	if _, err := client(t, n.key.Torrc(n.listener.Addr())); err == nil {
		t.Error("the naive way lets the client in: this test proves nothing")
	}
}

// acceptNaively gives strangers the same places as the client.
func (o *Outlet) acceptNaively() {
	for {
		c, err := o.listener.Accept()
		if err != nil {
			return
		}
		near, err := o.open.Conn(c)
		if err != nil {
			return
		}
		select {
		case o.slots <- struct{}{}:
			o.work.Go(func() {
				near.Read(make([]byte, 1))
				<-o.slots
			})
		default:
			near.Close()
		}
	}
}

func TestNamesAndDatagramsAreRefused(t *testing.T) {
	for name, request := range map[string]struct {
		bytes []byte
		code  byte
	}{
		"name":      {[]byte("\x05\x01\x00\x03\x01x\x00\x50"), badAddress},
		"bind":      {[]byte("\x05\x02\x00\x01\xc0\x00\x02\x07\x00\x50"), badCommand},
		"associate": {[]byte("\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00"), badCommand},
	} {
		_, code, err := readRequest(bytes.NewReader(request.bytes))
		if err != nil || code != request.code {
			t.Errorf("%s: code %d, %v", name, code, err)
		}
	}
}

func TestCloseEndsStreamsAndDials(t *testing.T) {
	o, f := serve(t)
	p, err := client(t, o.key.Torrc(o.listener.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.DialAddr(t.Context(), netip.MustParseAddrPort("192.0.2.7:9"))
	if err != nil {
		t.Fatal(err)
	}
	dialled := make(chan error)
	go func() {
		_, err := p.DialAddr(context.Background(), netip.MustParseAddrPort("192.0.2.7:2"))
		dialled <- err
	}()
	<-f.went
	<-f.went // both are under way
	o.Close()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a stream outlives its outlet")
	}
	if err := <-dialled; err == nil {
		t.Error("a dial outlives its outlet")
	}
	if _, err := client(t, o.key.Torrc(o.listener.Addr())); err == nil {
		t.Error("a closed outlet lets clients in")
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte("\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"))
	f.Add([]byte("\x05\x01\x00\x04abcdefghijklmnop\x00\x50"))
	f.Add([]byte("\x05\x01\x00\x03\x01x\x00\x50"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		to, code, err := readRequest(r)
		if err != nil || code != granted {
			return
		}
		ip := to.Addr().AsSlice()
		if !bytes.Equal(ip, b[4:4+len(ip)]) || r.Len() != len(b)-6-len(ip) {
			t.Errorf("%q was read as another address", b)
		}
	})
}
