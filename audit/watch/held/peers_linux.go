// Who is at the other end: for scenes that befall one process and no other.

package held

import (
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// NameService is where a name service of this machine listens, if it has one.
func NameService() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.53:53") }

// Peers are the addresses that a process is connected to by TCP.
func Peers(pid int) (out []netip.AddrPort) {
	all, err := Read([]byte{unix.IPPROTO_TCP})
	if err != nil {
		return nil
	}
	By(pid, func(inode uint64) bool {
		for _, s := range all {
			if s.Inode == inode && s.Remote.Port() != 0 {
				out = append(out, s.Remote)
			}
		}
		return true
	})
	return out
}

// Listener is the process that takes what comes to an address, by TCP or UDP; 0 if none is found.
func Listener(at netip.AddrPort) (pid int) {
	all, err := Read([]byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP})
	if err != nil {
		return 0
	}
	inodes := map[uint64]bool{}
	for _, s := range all {
		if s.Local == at && (s.Listens || s.Proto == unix.IPPROTO_UDP) {
			inodes[s.Inode] = true
		}
	}
	dir, err := os.ReadDir("/proc")
	if err != nil || len(inodes) == 0 {
		return 0
	}
	for _, d := range dir {
		n, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		By(n, func(inode uint64) bool {
			if inodes[inode] {
				pid = n
			}
			return pid == 0
		})
		if pid != 0 {
			break
		}
	}
	return pid
}
