// Which of the kernel's sockets a packet belongs to.

package watch

import (
	"net/netip"

	"nightjar/audit/watch/held"
)

// find picks the socket that a packet between two addresses belongs to, at the end local. A
// connected socket fits better than one that is bound to the address, and that better than one
// bound to all. Sockets without an inode are those that the kernel closes for somebody.
func find(all []held.Socket, proto byte, local, remote netip.AddrPort) (best held.Socket, ok bool) {
	fit := 0
	for _, s := range all {
		if s.Proto != proto || s.Raw || s.Inode == 0 || s.Local.Port() != local.Port() {
			continue
		}
		n := 0
		switch mine := s.Local.Addr() == local.Addr(); {
		case mine && s.Remote == remote:
			n = 3
		case s.Remote.Port() != 0: // connected to somebody else
		case mine:
			n = 2
		case s.Local.Addr().IsUnspecified():
			n = 1
		}
		if n > fit {
			fit, best = n, s
		}
	}
	return best, fit > 0
}
