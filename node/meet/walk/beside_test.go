// A claim about nodes that name others which are none of ours to ask.

package walk

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// leading is a conn to one node that names the machines beside us. It counts what goes elsewhere.
type leading struct {
	node  netip.AddrPort
	in    chan delivery
	done  chan struct{}
	other atomic.Int32
}

func (c *leading) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-c.in:
		return copy(b, d.packet), d.from, nil
	case <-c.done:
		return 0, nil, net.ErrClosed
	}
}

func (c *leading) WriteTo(b []byte, to net.Addr) (int, error) {
	u := to.(*net.UDPAddr)
	if plainAddr(u) != c.node {
		c.other.Add(1)
		return len(b), nil
	}
	var named []byte
	for i, s := range []string{"127.0.0.1:5353", "192.168.1.1:5353", "10.0.0.1:1900", "9.9.9.9:53",
		"169.254.169.254:8080", "100.100.100.100:5353", "192.168.1.255:1900"} {
		a := netip.MustParseAddrPort(s)
		named = append(append(named, byte(i)), make([]byte, 19)...)
		named = append(named, a.Addr().AsSlice()...)
		named = append(named, byte(a.Port()>>8), byte(a.Port()))
	}
	d, _ := parsePacket(b)
	r := dict{{"id", encodeString(make([]byte, 20))}, {"nodes", encodeString(named)}}
	c.in <- delivery{dict{{"r", r.encode()}, {"t", d.get("t")}, {"y", []byte("1:r")}}.encode(), u}
	return len(b), nil
}

func (c *leading) Close() error                     { close(c.done); return nil }
func (c *leading) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (c *leading) SetDeadline(time.Time) error      { return nil }
func (c *leading) SetReadDeadline(time.Time) error  { return nil }
func (c *leading) SetWriteDeadline(time.Time) error { return nil }

// strict is a leading conn that says where it may send.
type strict struct{ *leading }

func (s strict) Allows(a netip.AddrPort) bool { return a == s.node }

// elsewhere is how many questions go to whom the node names, and to a seed beside us.
func elsewhere(t *testing.T, of func(*leading) net.PacketConn) (n int) {
	synctest.Test(t, func(t *testing.T) {
		c := &leading{node: netip.MustParseAddrPort("20.0.0.1:6881"), in: make(chan delivery, 100),
			done: make(chan struct{})}
		r := Open(t.Context(), of(c), []netip.AddrPort{c.node,
			netip.MustParseAddrPort("127.0.0.1:6310")})
		if _, err := r.Get(t.Context(), [32]byte{1}, 3); err == nil {
			t.Error("it finds something")
		}
		if len(r.Heard()) != 1 {
			t.Errorf("%d nodes answered: this test proves nothing", len(r.Heard()))
		}
		_ = r.Close()
		n = int(c.other.Load())
	})
	return n
}

func TestNodesDoNotSendUsToMachinesBesideUs(t *testing.T) {
	if n := elsewhere(t, func(c *leading) net.PacketConn { return strict{c} }); n != 0 {
		t.Errorf("%d questions went there", n)
	}
	if elsewhere(t, func(c *leading) net.PacketConn { return c }) == 0 {
		t.Error("none on a road that allows everything: this test proves nothing")
	}
}
