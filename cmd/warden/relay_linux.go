// Whose ports of this machine a proxy on this machine leads to: its own, and no one's beside it.

package warden

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strings"

	"nightjar/onion/native"
)

// listening is the state of a TCP socket that listens, in the kernel's tables.
const listening = "0A"

// relays reports whether a socket for datagrams to an address leads to the proxy's relay and to
// nothing else of this machine. On another machine that is for its owner to see to. Here the port
// must be none of the system's, and belong to the user who has the proxy's listener: a name service
// of the machine, for one, would take what it is asked to others. What cannot be read is refused.
func relays(proxy, to netip.AddrPort) bool {
	if !native.Own(to.Addr()) {
		return true
	}
	if to.Port() < firstOpen {
		return false
	}
	proxies := owners(seen(tables("tcp"), proxy, listening))
	ports := owners(seen(tables("udp"), to, ""))
	return len(proxies) == 1 && len(ports) == 1 && proxies[0] == ports[0]
}

// tables are the kernel's tables of sockets of both kinds of addresses.
func tables(network string) (out string) {
	for _, name := range []string{network, network + "6"} {
		b, _ := os.ReadFile("/proc/net/" + name)
		out += string(b)
	}
	return out
}

// seen lists the users, by number, of the sockets in a table that are bound to an address, or to
// its port on every address; in one state, unless that is "".
func seen(table string, at netip.AddrPort, state string) (users []string) {
	for line := range strings.Lines(table) {
		f := strings.Fields(line) // number, local, remote, state, queues, timer, retries, user
		if len(f) < 8 || state != "" && f[3] != state {
			continue
		}
		local, ok := address(f[1])
		if ok && local.Port() == at.Port() &&
			(local.Addr() == at.Addr().Unmap() || local.Addr().IsUnspecified()) {
			users = append(users, f[7])
		}
	}
	return users
}

// owners drops what is said twice.
func owners(users []string) []string {
	slices.Sort(users)
	return slices.Compact(users)
}

// address reads an address as the kernel prints it: words of network order as numbers of its own.
func address(s string) (netip.AddrPort, bool) {
	at, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(at)
	p, perr := hex.DecodeString(port)
	if err != nil || perr != nil || len(p) != 2 || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	ip, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(p)), true
}
