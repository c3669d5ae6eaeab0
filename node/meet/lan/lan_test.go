// What the local network says is heard, bounded, and believed in nothing.

package lan

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/meet/walk"
)

// wire is a socket of the tests: what is written goes to answer, what it returns comes back.
type wire struct {
	in     chan packet
	gone   chan struct{}
	once   sync.Once
	answer func(b []byte, to netip.AddrPort) [][]byte
	mu     sync.Mutex
	sent   []netip.AddrPort
}

type packet struct {
	b    []byte
	from netip.AddrPort
}

func newWire() *wire { return &wire{in: make(chan packet, 4096), gone: make(chan struct{})} }

func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-w.in:
		return copy(b, p.b), net.UDPAddrFromAddrPort(p.from), nil
	case <-w.gone:
		return 0, nil, net.ErrClosed
	}
}

func (w *wire) WriteTo(b []byte, to net.Addr) (int, error) {
	at := to.(*net.UDPAddr).AddrPort()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, at)
	if w.answer != nil {
		for _, a := range w.answer(b, at) {
			w.in <- packet{a, at}
		}
	}
	return len(b), nil
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.gone) })
	return nil
}

func (w *wire) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

func tell(port int) []byte {
	return fmt.Appendf(nil, "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: %d\r\n"+
		"Infohash: 0123456789012345678901234567890123456789\r\n\r\n\r\n", port)
}

func public(a netip.AddrPort) bool { return !a.Addr().IsPrivate() }

// namesOf answers a question with nodes.
func namesOf(q []byte, nodes ...string) []byte {
	_, t, _ := strings.Cut(string(q), "1:t4:")
	var b strings.Builder
	for _, n := range nodes {
		a := netip.MustParseAddrPort(n)
		b.WriteString("abcdefghij0123456789" + string(a.Addr().AsSlice()))
		b.Write([]byte{byte(a.Port() >> 8), byte(a.Port())})
	}
	return fmt.Appendf(nil, "d1:rd2:id20:abcdefghij01234567895:nodes%d:%se1:t4:%s1:y1:re",
		b.Len(), b.String(), t[:4])
}

// search runs a search for a minute of fake time.
func search(t *testing.T, hear, ask *wire) (heard int, nodes []netip.AddrPort) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := &Search{Hear: hear, Ask: ask, Public: public}
	return s.Run(ctx)
}

func TestNodesOfThoseWhoTellOfThemselvesAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hear, ask := newWire(), newWire()
		for range 3 { // again and again
			hear.in <- packet{tell(6881), netip.MustParseAddrPort("10.0.0.7:6771")}
		}
		ask.answer = func(q []byte, to netip.AddrPort) [][]byte {
			if d := string(q); !strings.Contains(d, "find_node") || !strings.Contains(d, "2:roi1e") {
				t.Errorf("it asks %q", d)
			}
			return [][]byte{namesOf(q, "1.2.3.4:6881", "10.0.0.9:6881", "5.6.7.8:51413")}
		}
		heard, nodes := search(t, hear, ask)
		if heard != 1 || len(ask.sent) != questions || len(nodes) != 2 ||
			nodes[0].String() != "1.2.3.4:6881" || nodes[1].String() != "5.6.7.8:51413" {
			t.Errorf("%d heard, %d questions, found %v", heard, len(ask.sent), nodes)
		}
		if ask.sent[0].String() != "10.0.0.7:6881" {
			t.Errorf("it asked %v", ask.sent[0])
		}
	})
}

func TestNobodyIsAskedWhoSaidNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hear, ask := newWire(), newWire()
		for _, s := range []string{"", "GET / HTTP/1.1\r\nPort: 6881\r\n", "BT-SEARCH * HTTP/1.1\r\n",
			"BT-SEARCH * HTTP/1.1\r\nPort: 80\r\n", "BT-SEARCH * HTTP/1.1\r\nPort: 70000\r\n",
			"BT-SEARCH * HTTP/1.1\r\nPort: -1\r\n", "BT-SEARCH * HTTP/1.1\nPort: 6881\n"} {
			hear.in <- packet{[]byte(s), netip.MustParseAddrPort("10.0.0.7:6771")}
		}
		ask.in <- packet{namesOf([]byte("1:t4:aaaa"), "1.2.3.4:6881"),
			netip.MustParseAddrPort("10.0.0.8:6881")}
		heard, nodes := search(t, hear, ask)
		if heard != 0 || len(ask.sent) != 0 || len(nodes) != 0 {
			t.Errorf("%d heard, %d asked, found %v", heard, len(ask.sent), nodes)
		}
	})
}

func TestOneProgramIsNotTheWholeSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hear, ask := newWire(), newWire()
		for n := range 500 {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 6771)
			hear.in <- packet{tell(6881), from}
		}
		hear.in <- packet{tell(6881), netip.MustParseAddrPort("10.0.0.1:6771")}
		n := 0
		ask.answer = func(q []byte, to netip.AddrPort) (out [][]byte) {
			for range 4 {
				var many []string
				for range 16 {
					n++
					many = append(many, fmt.Sprintf("1.%d.%d.%d:6881", n>>16, n>>8&255, n&255))
				}
				out = append(out, namesOf(q, many...))
			}
			return out
		}
		heard, nodes := search(t, hear, ask)
		if heard != maxHosts || len(nodes) != maxFound || len(ask.sent) != maxHosts*questions {
			t.Errorf("%d heard, %d asked, found %d", heard, len(ask.sent), len(nodes))
		}
	})
}

func FuzzTold(f *testing.F) {
	f.Add(tell(6881))
	f.Add([]byte("BT-SEARCH * HTTP/1.1\r\nport:1\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if port, ok := announced(b); ok && port < 1024 {
			t.Errorf("%q is at port %d", b, port)
		}
		walk.Named(b)
	})
}
