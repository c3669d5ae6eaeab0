// Why ports are named: what a program can do with a socket that it was handed.

package sockets

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"unsafe"
)

// free takes the port from a socket by disconnecting it, and binds it to every address.
func free(t *testing.T, socket any) error {
	t.Helper()
	raw, err := socket.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var result error
	if err := raw.Control(func(fd uintptr) {
		unspecified := syscall.RawSockaddr{Family: syscall.AF_UNSPEC}
		if _, _, no := syscall.Syscall(syscall.SYS_CONNECT, fd,
			uintptr(unsafe.Pointer(&unspecified)), 16); no != 0 {
			result = no
			return
		}
		result = syscall.Bind(int(fd), &syscall.SockaddrInet4{})
	}); err != nil {
		t.Fatal(err)
	}
	return result
}

func TestSocketOfTheDoorCannotBeBoundElsewhere(t *testing.T) {
	for _, port := range []uint16{0, 45678} {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
		udp, err := Loopback{}.Packet(at)
		if err != nil {
			t.Fatal(err)
		}
		defer udp.Close()
		if err := free(t, udp); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("UDP, port %d: %v", port, err)
		}
		tcp, err := Loopback{}.Stream(at)
		if err != nil {
			t.Fatal(err)
		}
		defer tcp.Close()
		if err := free(t, tcp); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("TCP, port %d: %v", port, err)
		}
	}
	naive, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer naive.Close()
	if err := free(t, naive); err != nil {
		t.Errorf("a port chosen by the kernel cannot be taken back either (%v): "+
			"this test proves nothing", err)
	}
}
