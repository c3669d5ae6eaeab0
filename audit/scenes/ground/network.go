// Package ground is the network of the namespace in which scenes are played. It looks like one at
// home and leads nowhere:
//
//	eth0 192.0.2.77, 2001:db8::77 -- wire    the rest of the world: nobody answers
//	near ------------------------- eth0      a machine in a namespace of its own, if there is one:
//	                                         192.0.2.200, a VPN's endpoint and a SOCKS5 proxy
//
// It knows nothing of who uses it, or of who looks on.
package ground

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Address is the machine's own, and Other one that it can have instead.
const (
	Address = "192.0.2.77"
	Other   = "192.0.2.78"
	router  = "192.0.2.1"
)

// resolver is where the machine asks for names.
const resolver = "nameserver 192.0.2.53\n"

// addresses are what such a machine has: an interface with an IPv4 address and routes to
// everywhere. ARP is off, so that a packet goes out at once, to nobody.
var addresses = []string{
	"link add eth0 type veth peer name wire",
	"addr add " + Address + "/24 dev eth0",
	"link set eth0 arp off",
	"link set wire up",
	"link set eth0 up",
	"route add default via " + router + " dev eth0",
}

// addresses6 are the same for IPv6, where the kernel has it.
var addresses6 = []string{
	"-6 addr add 2001:db8::77/64 dev eth0 nodad",
	"-6 route add default dev eth0",
}

// HasIPv6 reports whether the kernel does.
func HasIPv6() bool {
	_, err := os.Stat("/proc/net/if_inet6")
	return err == nil
}

// Connect makes the network, and in dir the file that names the resolver.
func Connect(dir string) error {
	if err := IP(addresses...); err != nil {
		return err
	}
	if HasIPv6() {
		quiet6("wire")
		if err := IP(addresses6...); err != nil {
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

// quiet6 takes IPv6 from an interface, which then has nothing to say of itself.
func quiet6(name string) {
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0)
}

// IP runs ip with each of some lines.
func IP(lines ...string) error {
	for _, line := range lines {
		out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %s", line, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// Move gives the machine another address, and takes the one it had.
func Move(from, to string) error {
	return IP("addr del "+from+"/24 dev eth0", "addr add "+to+"/24 dev eth0",
		"route replace default via "+router+" dev eth0")
}

// Interface is one of the machine's that AddInterface makes.
const Interface = "vpn0"

// AddInterface gives the machine a second interface with a route to everywhere, which leads nowhere
// either.
func AddInterface() error {
	err := IP("link add " + Interface + " type veth peer name far0")
	if err != nil {
		return err
	}
	quiet6("far0")
	quiet6(Interface)
	return IP("addr add 203.0.113.2/24 dev "+Interface, "link set "+Interface+" arp off",
		"link set far0 up", "link set "+Interface+" up",
		"route add default via 203.0.113.1 dev "+Interface+" metric 500")
}

// RemoveInterface takes it away.
func RemoveInterface() error { return IP("link del " + Interface) }
