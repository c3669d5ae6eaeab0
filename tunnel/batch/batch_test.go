// The claims of this package: rows arrive as the datagrams they are made of, over real sockets and
// others, and errors name no place.

package batch

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// plain hides that a socket is a real one.
type plain struct{ net.PacketConn }

func listen(t *testing.T, network, host string) (*net.UDPConn, netip.AddrPort) {
	c, err := net.ListenUDP(network, &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c, c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// exchange sends rows of datagrams of a size, the last of them shorter, and checks what comes.
func exchange(t *testing.T, a, b *Carrier, to, from netip.AddrPort, size, count int) {
	t.Helper()
	var row []byte
	for i := range count {
		row = append(row, bytes.Repeat([]byte{byte(i)}, size)...)
	}
	row = row[:len(row)-1]
	if err := a.Send(row, size, to); err != nil {
		t.Fatal(err)
	}
	buf, got := make([]byte, MaxRow), []byte(nil)
	for len(got) < len(row) {
		n, each, source, err := b.Receive(buf)
		if err != nil {
			t.Fatal(len(got), "of", len(row), "bytes, then", err)
		}
		if source != from {
			t.Fatal("the sender is another")
		}
		if each != size && n != each {
			t.Fatal("datagrams of", size, "bytes came in a row of", each)
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, row) {
		t.Error("a row of", count, "came as something else")
	}
}

func TestRowsCrossRealSockets(t *testing.T) {
	ca, at := listen(t, "udp4", "127.0.0.1")
	cb, to := listen(t, "udp4", "127.0.0.1")
	a, b := New(ca), New(cb)
	for _, size := range []int{256, 512, 768, 1024, 1232} {
		for _, count := range []int{1, 2, 17, MaxRow / size} {
			exchange(t, a, b, to, at, size, count)
		}
	}
}

func TestRowsCrossWithoutTheKernelsHelp(t *testing.T) {
	ca, at := listen(t, "udp4", "127.0.0.1")
	cb, to := listen(t, "udp4", "127.0.0.1")
	exchange(t, New(plain{ca}), New(plain{cb}), to, at, 256, 30)
	exchange(t, New(ca), New(plain{cb}), to, at, 256, 1)
	exchange(t, New(plain{ca}), New(cb), to, at, 1232, 30)
}

// A wildcard socket is one for both families: addresses must come as the ones that are sent to.
func TestAddressesOfBothFamiliesCompare(t *testing.T) {
	ca, at := listen(t, "udp4", "127.0.0.1")
	cb, to := listen(t, "udp", "::")
	if to.Addr().Is4() {
		t.Fatal("no IPv6 here: the test needs it")
	}
	a, b := New(ca), New(cb)
	exchange(t, a, b, netip.AddrPortFrom(at.Addr(), to.Port()), at, 256, 3)
	cb2 := netip.AddrPortFrom(at.Addr(), to.Port())
	exchange(t, b, a, at, cb2, 256, 3)
}

func TestErrorsNameNoPlace(t *testing.T) {
	ca, _ := listen(t, "udp4", "127.0.0.1")
	_, to := listen(t, "udp4", "127.0.0.1")
	a := New(ca)
	a.Close()
	err := a.Send(make([]byte, 256), 256, to)
	_, _, _, err2 := a.Receive(make([]byte, 256))
	for _, err := range []error{err, err2} {
		if !errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "127") {
			t.Error(err)
		}
	}
	cb, _ := listen(t, "udp4", "127.0.0.1")
	_, err = cb.WriteTo(make([]byte, 70000), net.UDPAddrFromAddrPort(to))
	if err == nil || !strings.Contains(err.Error(), "127") {
		t.Error("the test would not notice an address")
	}
	if err := New(cb).Send(make([]byte, 70000), 70000, to); err == nil ||
		strings.Contains(err.Error(), "127") {
		t.Error(err)
	}
}

func TestRowsAllocateNothing(t *testing.T) {
	ca, _ := listen(t, "udp4", "127.0.0.1")
	cb, to := listen(t, "udp4", "127.0.0.1")
	a, b := New(ca), New(cb)
	row, buf := make([]byte, 16*256), make([]byte, MaxRow)
	if n := testing.AllocsPerRun(100, func() {
		if err := a.Send(row, 256, to); err != nil {
			t.Fatal(err)
		}
		for got := 0; got < len(row); {
			n, _, _, err := b.Receive(buf)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
	}); n > 0 {
		t.Error(n, "allocations a row")
	}
}
