// The network of the namespace: it looks like one at home, and leads to the recorder alone.

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// resolver is where the machine asks for names.
const resolver = "nameserver 192.0.2.53\n"

// addresses are what such a machine has: an interface with an IPv4 address and routes to
// everywhere. ARP is off, so that a packet goes out at once, to nobody.
var addresses = []string{
	"link add eth0 type veth peer name wire",
	"addr add 192.0.2.77/24 dev eth0",
	"link set eth0 arp off",
	"link set wire up",
	"link set eth0 up",
	"route add default via 192.0.2.1 dev eth0",
}

// addresses6 are the same for IPv6, where the kernel has it.
var addresses6 = []string{
	"-6 addr add 2001:db8::77/64 dev eth0 nodad",
	"-6 route add default dev eth0",
}

// hasIPv6 reports whether the kernel does.
func hasIPv6() bool {
	_, err := os.Stat("/proc/net/if_inet6")
	return err == nil
}

// connect makes the network and the file that names the resolver.
func connect(dir string) error {
	if err := ip(addresses...); err != nil {
		return err
	}
	if hasIPv6() {
		// The other end of the wire has nothing to say.
		_ = os.WriteFile("/proc/sys/net/ipv6/conf/wire/disable_ipv6", []byte("1"), 0)
		if err := ip(addresses6...); err != nil {
			return err
		}
	}
	file := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(file, []byte(resolver), 0o644); err != nil {
		return err
	}
	if err := unix.Mount(file, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("name the resolver: %w", err)
	}
	return nil
}

// ip runs ip with each of some lines.
func ip(lines ...string) error {
	for _, line := range lines {
		out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %s", line, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
