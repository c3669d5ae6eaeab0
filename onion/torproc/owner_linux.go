// Whose the socket is at which a tor should listen. Any user of this machine can take a port that
// no tor holds at the moment, and would be given the keys of services if it were taken for one.

package torproc

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	maxUsers  = 1 << 20 // bytes of the list of users
	ordinary  = 1000    // and above it, users are people: one may be called Tor
	listening = "0A"    // a state of /proc/net/tcp
)

// torUsers are those that distributions let tor run as.
var torUsers = []string{"debian-tor", "tor", "_tor", "toranon"}

// mayBeTor reports whether a tor may run as a user, or what stands before it: as root, as
// ourselves, or as a system user with a name of its own.
func mayBeTor(uid uint32) bool {
	if uid == 0 || uid == uint32(os.Getuid()) {
		return true
	}
	list, err := readSmall("/etc/passwd", maxUsers)
	return err == nil && namedTor(string(list), uid)
}

// namedTor looks for a user in a list as /etc/passwd is. No name service is asked: it may be
// another machine.
func namedTor(list string, uid uint32) bool {
	for line := range strings.Lines(list) {
		f := strings.Split(line, ":")
		if len(f) < 3 || f[2] != strconv.FormatUint(uint64(uid), 10) || uid >= ordinary {
			continue
		}
		if slices.Contains(torUsers, f[0]) || strings.HasPrefix(f[0], "_tor-") {
			return true
		}
	}
	return false
}

// owned reports whether all who may be at the other end of a connection to a socket of this machine
// are users that trusts trusts. When that cannot be found out it is false.
func owned(c net.Conn, trusts func(uid uint32) bool) bool {
	if u, ok := c.(*net.UnixConn); ok {
		uid, err := unixOwner(u)
		return err == nil && trusts(uid)
	}
	at, err1 := netip.ParseAddrPort(c.RemoteAddr().String())
	us, err2 := netip.ParseAddrPort(c.LocalAddr().String())
	if err1 != nil || err2 != nil {
		return false
	}
	var t ends
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(name)
		if err != nil {
			continue // there is no IPv6; without IPv4 no listener is found
		}
		err = t.read(f, at, us)
		f.Close()
		if err != nil {
			return false
		}
	}
	return t.all(trusts)
}

// unixOwner returns who called listen on the other end.
func unixOwner(u *net.UnixConn) (uid uint32, err error) {
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *syscall.Ucred
	if e := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); e != nil || err != nil {
		return 0, ErrAuth
	}
	return cred.Uid, nil
}

// ends are the users of the sockets that a TCP connection may have led to.
type ends struct {
	here     []uint32 // listen at that address and port
	anywhere []uint32 // listen at that port of all addresses
	peer     []uint32 // have the other end: without it whoever listened may have gone meanwhile
}

// all reports whether trusts trusts all of them. The kernel prefers who listens at the address.
func (e ends) all(trusts func(uid uint32) bool) bool {
	listen := e.here
	if len(listen) == 0 {
		listen = e.anywhere
	}
	no := func(uid uint32) bool { return !trusts(uid) }
	return len(listen) > 0 && !slices.ContainsFunc(listen, no) && !slices.ContainsFunc(e.peer, no)
}

// read adds what a table as /proc/net/tcp is says of a connection from us to at.
func (e *ends) read(table io.Reader, at, us netip.AddrPort) error {
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 8 {
			continue
		}
		local, ok1 := endpoint(f[1])
		remote, ok2 := endpoint(f[2])
		uid, err := strconv.ParseUint(f[7], 10, 32)
		switch {
		case !ok1 || !ok2 || err != nil || local.Port() != at.Port(): // another's, or the heading
		case f[3] != listening && local == at && remote == us:
			e.peer = append(e.peer, uint32(uid))
		case f[3] == listening && local == at:
			e.here = append(e.here, uint32(uid))
		case f[3] == listening && local.Addr().IsUnspecified():
			e.anywhere = append(e.anywhere, uint32(uid))
		}
	}
	return lines.Err()
}

// endpoint reads "0100007F:235B": words of the processor's order, and a port.
func endpoint(text string) (netip.AddrPort, bool) {
	ip, port, _ := strings.Cut(text, ":")
	b, err1 := hex.DecodeString(ip)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if err1 != nil || err2 != nil || len(b)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for w := b; len(w) > 0; w = w[4:] {
		binary.NativeEndian.PutUint32(w, binary.BigEndian.Uint32(w))
	}
	a, ok := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), ok
}
