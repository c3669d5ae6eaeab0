// Whom a socket of the door can be turned to, and whom not.

package sockets

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// door opens a socket of the door, and what Answer wants to have of it.
func door(t *testing.T) (net.PacketConn, netip.AddrPort, syscall.RawConn) {
	t.Helper()
	c, err := Loopback{}.Packet(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return c, addr(c), raw
}

// phone opens a phone's socket.
func phone(t *testing.T, at string) net.PacketConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func addr(c interface{ LocalAddr() net.Addr }) netip.AddrPort {
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// hears checks that the next datagram at c is this one, and returns where it came from.
func hears(t *testing.T, c net.PacketConn, want string) netip.AddrPort {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 64)
	n, from, err := c.ReadFrom(b)
	if err != nil || string(b[:n]) != want {
		t.Fatalf("heard %q, %v; want %q", b[:n], err, want)
	}
	return from.(*net.UDPAddr).AddrPort()
}

func TestPhoneIsAnsweredFromTheAddressItKnows(t *testing.T) {
	main, at, raw := door(t)
	one, other := phone(t, "127.0.0.1:0"), phone(t, "127.0.0.1:0")
	one.WriteTo([]byte("first"), net.UDPAddrFromAddrPort(at))
	from := hears(t, main, "first")
	answer, err := Answer(raw, at, from)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	answer.Write([]byte("answer"))
	if by := hears(t, one, "answer"); by != at {
		t.Errorf("the phone is answered from %v", by)
	}
	one.WriteTo([]byte("second"), net.UDPAddrFromAddrPort(at))
	hears(t, answer, "second")
	other.WriteTo([]byte("another"), net.UDPAddrFromAddrPort(at))
	hears(t, main, "another")
	if _, err := (Loopback{}).Packet(at); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second door at the same address: %v", err)
	}
}

func TestNobodyButAPhoneIsAnswered(t *testing.T) {
	main, at, raw := door(t)
	service := phone(t, "127.0.0.1:0")
	gone := phone(t, "127.0.0.1:0")
	gone.Close()
	targets := map[string]netip.AddrPort{
		"a name service": netip.MustParseAddrPort("127.0.0.53:53"), "nobody": addr(gone),
		"another machine":         netip.MustParseAddrPort("192.0.2.1:5060"),
		"another machine by IPv6": netip.MustParseAddrPort("[2001:db8::1]:5060"),
		"all addresses":           netip.MustParseAddrPort("0.0.0.0:5060"),
	}
	if os.Getuid() == 0 { // nobody else can open another's
		targets["a service of the system, ours"] = addr(phone(t, "127.0.0.53:53"))
		theirs := phoneOf(t, 65534)
		targets["a program of another user"] = addr(theirs)
	}
	for name, to := range targets {
		if c, err := Answer(raw, at, to); err == nil {
			c.Close()
			t.Errorf("%s is answered", name)
		} else if !errors.Is(err, ErrNotPhone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	main.WriteTo([]byte("a name?"), net.UDPAddrFromAddrPort(addr(service)))
	hears(t, service, "a name?") // by itself the socket goes anywhere here: Answer is the wall
}

// phoneOf opens a socket that belongs to another user.
func phoneOf(t *testing.T, uid int) net.PacketConn {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, err := unix.SetfsuidRetUid(uid); err != nil {
		t.Fatal(err)
	}
	defer unix.SetfsuidRetUid(os.Getuid())
	return phone(t, "127.0.0.1:0")
}

func TestOwnersAreReadFromTheKernelsTable(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		const rest = " 00000000:0000 07 00000000:00000000 00:00000000 00000000  "
		const table = "  sl  local_address rem_address   st ...\n" +
			" 1: 0100007F:13C4" + rest + "1000 0 1\n" +
			" 2: 00000000:13C4" + rest + " 101 0 2\n" +
			" 3: 0200007F:13C4" + rest + "   7 0 3\n" +
			" 4: 0100007F:13C5" + rest + "   8 0 4\n" +
			" 5: short\n"
		got := owners(table, netip.MustParseAddrPort("127.0.0.1:5060"))
		if len(got) != 2 || got[0] != 1000 || got[1] != 101 {
			t.Errorf("owners are %v", got)
		}
	}
	mine := phone(t, "127.0.0.1:0")
	if !isOurs(addr(mine)) {
		t.Error("a socket of ours is not known as one")
	}
}
