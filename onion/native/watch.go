// Noticing that this machine has another network.

package native

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// glance is how often the network is looked at.
const glance = 2 * time.Second

// Watch calls changed when this machine's addresses or its routes of IPv4 have changed, until ctx
// ends. Sockets that were opened before may lead nowhere then.
func Watch(ctx context.Context, changed func()) {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for before := scene(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if now := scene(); now != before {
				before = now
				changed()
			}
		}
	}
}

// Own reports whether an address is one of this machine's; also if that cannot be told.
func Own(ip netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	return err != nil || ip.IsLoopback() || slices.ContainsFunc(addrs, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap() == ip.Unmap()
	})
}

// scene is a sum of what the network looks like. What cannot be read counts as empty.
func scene() [32]byte {
	var names []string
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		names = append(names, a.String())
	}
	slices.Sort(names)
	routes, _ := os.ReadFile("/proc/self/net/route")
	return sha256.Sum256(slices.Concat([]byte(strings.Join(names, " ")), steady(routes)))
}

// steady leaves of the kernel's table of routes what says where they lead: its numbers of uses
// change all the time.
func steady(table []byte) (out []byte) {
	for line := range bytes.Lines(table) {
		if f := bytes.Fields(line); len(f) > 7 { // interface, to, by, flags, 2 counts, metric, mask
			out = append(out, bytes.Join([][]byte{f[0], f[1], f[2], f[6], f[7]}, []byte(" "))...)
		}
	}
	return out
}
