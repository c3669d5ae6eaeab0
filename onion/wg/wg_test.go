// Two VPNs whose endpoints are each other, joined in memory.

package wg

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"

	"nightjar/onion/wgconf"
)

// A wire is one end of a pair of sockets in memory that are connected to each other.
type wire struct {
	net.Conn // nil: only what is below is used
	in, out  chan []byte
	shut     chan struct{}
	once     sync.Once

	mu   sync.Mutex
	late chan struct{} // closed when a deadline in the past is set
	fail error         // what Write returns
}

func newWires() (*wire, *wire) {
	a, b := make(chan []byte, 256), make(chan []byte, 256)
	return &wire{in: a, out: b, shut: make(chan struct{}), late: make(chan struct{})},
		&wire{in: b, out: a, shut: make(chan struct{}), late: make(chan struct{})}
}

func (w *wire) Read(b []byte) (int, error) {
	w.mu.Lock()
	late := w.late
	w.mu.Unlock()
	select {
	case p := <-w.in:
		return copy(b, p), nil
	case <-late:
		return 0, os.ErrDeadlineExceeded
	case <-w.shut:
		return 0, net.ErrClosed
	}
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return 0, w.fail
	}
	select {
	case w.out <- append([]byte(nil), b...):
	default:
	}
	return len(b), nil
}

func (w *wire) SetReadDeadline(at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at.IsZero() {
		w.late = make(chan struct{})
	} else {
		close(w.late)
	}
	return nil
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.shut) })
	return nil
}

func (w *wire) setFail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

// pair starts two VPNs; here asks there for names.
func pair(t *testing.T) (here, there *VPN) {
	t.Helper()
	a, b := newWires()
	keyA, keyB := newKey(t), newKey(t)
	here = start(t, a, keyA, keyB, "10.9.0.2", "DNS = 10.9.0.1")
	there = start(t, b, keyB, keyA, "10.9.0.1", "")
	return here, there
}

func newKey(t *testing.T) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func config(t *testing.T, own, peer *ecdh.PrivateKey, at, more string) *wgconf.Config {
	t.Helper()
	text := base64.StdEncoding.EncodeToString
	c, err := wgconf.Parse(fmt.Appendf(nil, "[Interface]\nPrivateKey = %s\nAddress = %s/24\n%s\n"+
		"[Peer]\nPublicKey = %s\nEndpoint = 192.0.2.1:51820\nAllowedIPs = 0.0.0.0/0\n",
		text(own.Bytes()), at, more, text(peer.PublicKey().Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t *testing.T, w net.Conn, own, peer *ecdh.PrivateKey, at, more string) *VPN {
	t.Helper()
	once := true
	v, err := Start(t.Context(), config(t, own, peer, at, more),
		func(context.Context, netip.AddrPort) (net.Conn, error) {
			if !once {
				return nil, net.ErrClosed
			}
			once = false
			return w, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// serve answers streams and datagrams at port 7 of a VPN with what they bring.
func serve(t *testing.T, v *VPN) {
	t.Helper()
	at, number := full(netip.AddrPortFrom(v.host.v4, 7))
	l, err := gonet.ListenTCP(v.host.stack, at, number)
	if err != nil {
		t.Fatal(err)
	}
	u, err := gonet.DialUDP(v.host.stack, &at, nil, number)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for b := make([]byte, 2048); ; {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			u.WriteTo(b[:n], from)
		}
	}()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	t.Cleanup(func() { l.Close() })
}

func limited(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestStreamsAndDatagramsPass(t *testing.T) {
	here, there := pair(t)
	serve(t, there)
	if err := here.Handshake(limited(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	c, err := here.DialAddr(limited(t, 5*time.Second), netip.MustParseAddrPort("10.9.0.1:7"))
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Repeat("0123456789", 20_000)
	go io.WriteString(c, said)
	b := make([]byte, len(said))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != said {
		t.Fatalf("the stream came back otherwise: %v", err)
	}
	if got := c.RemoteAddr().String(); got != "path" {
		t.Errorf("the stream tells where it leads: %s", got)
	}
	p, err := here.ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, ip := range []net.IP{net.ParseIP("10.9.0.1"), net.IPv4(10, 9, 0, 1).To4()} {
		if _, err := p.WriteTo([]byte("hi"), &net.UDPAddr{IP: ip, Port: 7}); err != nil {
			t.Fatal(err)
		}
		p.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, from, err := p.ReadFrom(b)
		if err != nil || string(b[:n]) != "hi" || from.String() != "10.9.0.1:7" {
			t.Fatalf("a datagram to %d bytes of address: %q, %v", len(ip), b[:n], err)
		}
	}
	if h := here.Health(); h.Handshake < 0 || h.Heard < 0 || h.Sent == 0 || h.Received == 0 {
		t.Errorf("health %+v", h)
	}
}

// The stack's own sockets panic at addresses that are not UDP's, say io.EOF for closed, and have
// deadlines that no errors.Is recognizes.
func TestSocketBehavesAsTheSystemsDo(t *testing.T) {
	here, there := pair(t)
	serve(t, there)
	p, err := here.ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	to := &net.UDPAddr{IP: net.ParseIP("10.9.0.1"), Port: 7} // 16 bytes
	p.SetReadDeadline(time.Now().Add(-time.Second))
	if _, _, err := p.ReadFrom(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	for _, wrong := range []net.Addr{nil, &net.TCPAddr{}, (*net.UDPAddr)(nil), &net.UDPAddr{},
		&net.UDPAddr{IP: net.ParseIP("fd00::1"), Port: 7}, &net.UDPAddr{IP: to.IP},
		&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7}} {
		if _, err := p.WriteTo([]byte("x"), wrong); err == nil {
			t.Errorf("a datagram to %v goes somewhere", wrong)
		}
	}
	p.SetReadDeadline(time.Time{})
	p.Close()
	if _, _, err := p.ReadFrom(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if _, err := p.WriteTo([]byte("x"), to); err == nil || strings.Contains(err.Error(), "10.9") {
		t.Errorf("write after close: %v", err)
	}

	at, number := full(netip.AddrPortFrom(here.host.v4, 0))
	naive, err := gonet.DialUDP(here.host.stack, &at, nil, number)
	if err != nil {
		t.Fatal(err)
	}
	naive.SetReadDeadline(time.Now().Add(-time.Second))
	if _, _, err := naive.ReadFrom(nil); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the stack's deadline is recognized: this test proves nothing")
	}
	defer func() {
		if recover() == nil {
			t.Error("the stack takes any address: this test proves nothing")
		}
	}()
	naive.WriteTo([]byte("x"), &net.TCPAddr{})
}

// A socket of the stack that is bound to no address is one of IPv6, and reaches nobody.
func TestSocketIsBoundToTheAddressInside(t *testing.T) {
	here, there := pair(t)
	serve(t, there)
	to := &net.UDPAddr{IP: net.IPv4(10, 9, 0, 1).To4(), Port: 7}
	p, err := here.ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := p.LocalAddr().(*net.UDPAddr); !got.IP.Equal(net.IPv4(10, 9, 0, 2)) || got.Port == 0 {
		t.Errorf("bound to %v", got)
	}
	everywhere, number := full(netip.AddrPortFrom(netip.IPv4Unspecified(), 9999))
	naive, err := gonet.DialUDP(here.host.stack, &everywhere, nil, number)
	if err != nil {
		t.Fatal(err)
	}
	defer naive.Close()
	if _, err := naive.WriteTo([]byte("x"), to); err == nil {
		t.Error("a socket bound to nothing has a route: this test proves nothing")
	}
}

func TestSilentEndpointIsNoticed(t *testing.T) {
	a, _ := newWires()
	v := start(t, a, newKey(t), newKey(t), "10.9.0.2", "")
	if err := v.Handshake(limited(t, 100*time.Millisecond)); err != ErrSilent {
		t.Errorf("handshake with nobody: %v", err)
	}
	_, err := v.DialAddr(limited(t, 100*time.Millisecond), netip.MustParseAddrPort("10.9.0.1:7"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("dial with nobody there: %v", err)
	}
}

func TestWrongEndpointIsNotTakenForTheRightOne(t *testing.T) {
	a, b := newWires()
	keyA := newKey(t)
	here := start(t, a, keyA, newKey(t), "10.9.0.2", "") // expects somebody else
	start(t, b, newKey(t), keyA, "10.9.0.1", "")
	if err := here.Handshake(limited(t, 300*time.Millisecond)); err != ErrSilent {
		t.Errorf("handshake with an impostor: %v", err)
	}
}

func TestDialIsRefusedInWords(t *testing.T) {
	here, there := pair(t)
	serve(t, there)
	for to, want := range map[string]error{"10.9.0.1:9": ErrUnreached, "127.0.0.1:7": ErrAddress,
		"[fd00::1]:7": ErrAddress, "0.0.0.0:7": ErrAddress, "10.9.0.1:0": ErrAddress} {
		_, err := here.DialAddr(limited(t, 5*time.Second), netip.MustParseAddrPort(to))
		if !errors.Is(err, want) {
			t.Errorf("dial %s: %v, want %v", to, err, want)
		}
	}
}

func TestCloseEndsEverything(t *testing.T) {
	here, there := pair(t)
	serve(t, there)
	to := netip.MustParseAddrPort("10.9.0.1:7")
	c, err := here.DialAddr(limited(t, 5*time.Second), to)
	if err != nil {
		t.Fatal(err)
	}
	p, err := here.ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() { io.Copy(c, strings.NewReader(strings.Repeat("x", 64<<20))) })
	work.Go(func() { io.Copy(io.Discard, c) })
	work.Go(func() { p.ReadFrom(make([]byte, 1)) })
	work.Go(func() { here.DialAddr(context.Background(), netip.MustParseAddrPort("10.8.0.1:7")) })
	b := make([]byte, 1)
	c.Read(b) // data flows
	here.Close()
	work.Wait()
	<-here.Done()
	if _, err := here.ListenPacket(t.Context()); err == nil {
		t.Error("a socket of a closed VPN")
	}
	if _, err := here.DialAddr(t.Context(), to); err == nil {
		t.Error("a stream of a closed VPN")
	}
}
