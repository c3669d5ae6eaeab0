// How this system could let a loopback socket speak to other machines.

package warden

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// domain is the port of a name service.
const domain = "0035"

// loose reports whether this system sends packets with loopback addresses to other machines.
func loose() bool {
	names, _ := filepath.Glob("/proc/sys/net/ipv4/conf/*/route_localnet")
	return slices.ContainsFunc(names, func(name string) bool {
		b, err := os.ReadFile(name)
		return err == nil && strings.TrimSpace(string(b)) != "0"
	})
}

// resolver reports whether a name service listens where a loopback socket can send to it: what is
// asked of it goes on to other machines.
func resolver() bool {
	return slices.ContainsFunc([]string{"/proc/net/udp", "/proc/net/udp6"}, func(name string) bool {
		b, err := os.ReadFile(name)
		return err == nil && answersNames(string(b))
	})
}

// answersNames reports whether a table of the kernel has a UDP socket on the port of a name service
// and on an IPv4 loopback address, or on all addresses.
func answersNames(table string) bool {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		at, port, _ := strings.Cut(f[1], ":")
		b, err := hex.DecodeString(at)
		if port != domain || err != nil || len(b) < 4 {
			continue
		}
		// The kernel prints words of network order as numbers of its own.
		var ip [4]byte
		binary.NativeEndian.PutUint32(ip[:], binary.BigEndian.Uint32(b[len(b)-4:]))
		if ip == [4]byte{} || ip[0] == 127 {
			return true
		}
	}
	return false
}
