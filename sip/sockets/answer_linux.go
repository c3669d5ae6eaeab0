// Answering a phone from a socket that cannot be turned on anybody else.

package sockets

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrNotPhone is returned for an address that no program of this user's on this machine has.
var ErrNotPhone = errors.New("not the address of a phone")

// reserved is the first port that every user can have: below it are the system's services, name
// services among them.
const reserved = 1024

// Answer opens a second socket at the address of one that Packet has opened, and connects it to a
// phone's. From then on what that phone sends comes to it. There must be a socket at the phone's
// address, and all that are there must be this user's: a name service, or whatever else sends on
// what it is told, is somebody else's. Errors are ErrNotLoopback, ErrNotPhone or a syscall.Errno.
func Answer(main syscall.RawConn, at, to netip.AddrPort) (*net.UDPConn, error) {
	if !at.Addr().Is4() || !at.Addr().IsLoopback() || at.Port() == 0 {
		return nil, ErrNotLoopback
	}
	if !to.Addr().Is4() || to.Port() < reserved || !here(to.Addr()) || !isOurs(to) {
		return nil, ErrNotPhone
	}
	if err := share(main, 1); err != nil {
		return nil, err
	}
	defer share(main, 0)
	d := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(at),
		Control: func(_, _ string, c syscall.RawConn) error { return share(c, 1) }}
	c, err := d.DialContext(context.Background(), "udp4", to.String())
	if err != nil {
		return nil, bare(err)
	}
	return c.(*net.UDPConn), nil
}

// share lets other sockets of this user be bound to the same address, or not.
func share(c syscall.RawConn, on int) (err error) {
	if cerr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, on)
	}); cerr != nil {
		return net.ErrClosed
	}
	return err
}

// here reports whether an address is of this machine.
func here(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	all, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(all, func(n net.Addr) bool {
		p, err := netip.ParsePrefix(n.String())
		return err == nil && p.Addr().Unmap() == a
	})
}

// isOurs reports whether the sockets at an address are this user's, and there is one.
func isOurs(at netip.AddrPort) bool {
	var all []int
	for _, name := range []string{"/proc/self/net/udp", "/proc/self/net/udp6"} {
		b, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return false
		}
		all = append(all, owners(string(b), at)...)
	}
	return len(all) > 0 && !slices.ContainsFunc(all, func(uid int) bool {
		return uid != os.Getuid()
	})
}

// owners lists the users that have a socket at an IPv4 address in a table of the kernel's, or one
// at all addresses with its port.
func owners(table string, at netip.AddrPort) (uids []int) {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		host, port, _ := strings.Cut(f[1], ":")
		ip, err := hex.DecodeString(host)
		number, perr := strconv.ParseUint(port, 16, 16)
		if err != nil || perr != nil || len(ip) < 4 || uint16(number) != at.Port() {
			continue
		}
		// The kernel prints words of network order as numbers of its own.
		var last [4]byte
		binary.NativeEndian.PutUint32(last[:], binary.BigEndian.Uint32(ip[len(ip)-4:]))
		if last != [4]byte{} && last != at.Addr().As4() {
			continue
		}
		uid, err := strconv.Atoi(f[7])
		if err != nil {
			uid = -1
		}
		uids = append(uids, uid)
	}
	return uids
}
