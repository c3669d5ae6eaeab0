//go:build e2e

// One interface, as the system's VPN makes one; and direct, which has no cover.

package ways_test

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"nightjar/audit/privnet/lab"
	"nightjar/onion/native"
	"nightjar/onion/ways"
)

// addInterface makes an interface of this name to the world.
func addInterface(l *lab.Lab, name string) { l.Interface(name, "10.8.0.2", "10.8.0.1") }

func TestInterfaceThatIsGoneIsNotReplaced(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		addInterface(l, "vpn0")
		l.Echo(lab.Far)
		watch := l.Watch("ip daddr 203.0.113.1") // nothing may leave by eth0
		w := open(l.T, "device:vpn0", ways.Config{})
		c := socket(l.T, w)
		naive, err := net.ListenUDP("udp4", nil) // bound to nothing: the route decides
		if err != nil {
			l.T.Fatal(err)
		}
		defer naive.Close()
		for _, s := range []net.PacketConn{c, naive} {
			if !echoes(s, lab.Far, 5*time.Second) {
				l.T.Fatal("no datagram comes back while the interface is there")
			}
		}
		streams(l.T, w, lab.Far)

		l.Do("ip", "link", "del", "vpn0")
		to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(lab.Far + ":7"))
		if _, err := c.WriteTo([]byte("x"), to); !errors.Is(err, syscall.ENODEV) &&
			!errors.Is(err, net.ErrClosed) {
			l.T.Errorf("a datagram without the interface: %v", err)
		}
		select {
		case <-w.Done():
		case <-time.After(5 * time.Second):
			l.T.Fatal("the end of the interface is not noticed")
		}
		addInterface(l, "vpn0") // another one of the same name
		dead(l.T, w, c)
		if _, err := w.Packets.ListenPacket(l.T.Context()); err == nil {
			l.T.Error("a socket of a way that is gone")
		}
		again := open(l.T, "device:vpn0", ways.Config{})
		if !echoes(socket(l.T, again), lab.Far, 5*time.Second) {
			l.T.Error("the new interface cannot be chosen")
		}
		if n := watch.Counted(); n.Stray != 0 {
			l.T.Errorf("%d packets left by another interface", n.Stray)
		}
		l.Do("ip", "link", "del", "vpn0")
		naive.WriteTo([]byte("x"), to)
		if n := watch.Counted(); n.Stray != 1 {
			l.T.Error("a socket bound to nothing stays silent too: this test proves nothing")
		}
	})
}

// Before the watcher looks, the kernel alone keeps sockets from other interfaces.
func TestKernelHoldsSocketsToTheInterface(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		addInterface(l, "vpn0")
		watch := l.Watch("ip daddr 203.0.113.1")
		d, err := native.OpenDevice("vpn0")
		if err != nil {
			l.T.Fatal(err)
		}
		defer d.Close()
		before, err := d.ListenPacket(l.T.Context())
		if err != nil {
			l.T.Fatal(err)
		}
		to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(lab.Far + ":7"))
		l.Do("ip", "link", "del", "vpn0")
		after, err := d.ListenPacket(l.T.Context())
		for _, c := range []net.PacketConn{before, after} {
			if c != nil {
				if _, err := c.WriteTo([]byte("x"), to); err == nil {
					l.T.Error("a datagram leaves by an interface that is gone")
				}
			}
		}
		if n := watch.Counted(); n.Stray != 0 {
			l.T.Errorf("%d packets left by another interface", n.Stray)
		}
		if _, err := native.OpenDevice("vpn0"); err != native.ErrDevice {
			l.T.Errorf("no such interface: %v", err)
		}
		stray(l.T)
		if n := watch.Counted(); n.Stray != 1 {
			l.T.Error("nothing is counted: this test proves nothing")
		}
	})
}

func TestDirectShowsTheAddress(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		l.Echo(lab.Far)
		watch := l.Watch("ip daddr 203.0.113.1")
		w := open(l.T, "direct-reveals-my-address", ways.Config{})
		if !echoes(socket(l.T, w), lab.Far, 5*time.Second) {
			l.T.Fatal("no datagram comes back")
		}
		streams(l.T, w, lab.Far)
		if n := watch.Counted(); n.Stray == 0 {
			l.T.Error("direct leaves in no sight")
		}
		c := socket(l.T, w)
		broadcast := &net.UDPAddr{IP: net.IPv4(192, 0, 2, 255), Port: 7}
		if _, err := c.WriteTo([]byte("x"), broadcast); err == nil {
			l.T.Error("a datagram goes to everybody on the network")
		}
	})
}
