// A process that opens one of the other ways out, as an engine would, and loses it.

package main

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"nightjar/audit/scenes/play"
	"nightjar/audit/watch"
	"nightjar/onion"
	"nightjar/onion/ways"
)

// wayTime is how long a way is tried.
const wayTime = 6 * time.Second

// wayExits are what the part may send: to where its way leads.
func wayExits() []watch.Exit {
	return []watch.Exit{
		{Role: way, Proto: watch.UDP, To: netip.MustParseAddrPort(play.Endpoint)},
		{Role: way, Proto: watch.UDP, To: netip.MustParseAddrPort(play.Far),
			Interface: play.Interface},
	}
}

// walk opens a way and loses it.
func walk(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("which way?")
	}
	switch args[0] {
	case play.VPNDead:
		return tryVPN(ctx, func() error { return nil })
	case play.VPNRoams:
		return tryVPN(ctx, func() error {
			if err := move("192.0.2.77", "192.0.2.78"); err != nil {
				return err
			}
			pause(ctx, wayTime/2)
			return move("192.0.2.78", "192.0.2.77")
		})
	case play.ProxyLost:
		return loseProxy(ctx)
	case play.DeviceGone:
		return loseDevice(ctx)
	}
	return errors.New("there is no such way")
}

// move gives the machine another address.
func move(from, to string) error {
	return ip("addr del "+from+"/24 dev eth0", "addr add "+to+"/24 dev eth0",
		"route replace default via 192.0.2.1 dev eth0")
}

// tryVPN opens a VPN whose endpoint is silent; halfway something happens.
func tryVPN(ctx context.Context, halfway func() error) error {
	ours, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	encode := base64.StdEncoding.EncodeToString
	file := fmt.Sprintf("[Interface]\nPrivateKey = %s\nAddress = 10.9.0.2/24\nDNS = 10.9.0.1\n\n"+
		"[Peer]\nPublicKey = %s\nEndpoint = %s\nAllowedIPs = 0.0.0.0/0\n", encode(ours.Bytes()),
		encode(ours.PublicKey().Bytes()), play.Endpoint)
	c, err := ways.Parse("vpn:file")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*wayTime)
	defer cancel()
	happened := make(chan error, 1)
	go func() {
		pause(ctx, wayTime)
		happened <- halfway()
	}()
	w, err := ways.Open(ctx, c, ways.Config{File: []byte(file)})
	if err == nil {
		w.Close()
		return errors.New("a VPN opens whose endpoint is silent")
	}
	return <-happened
}

// open opens a way to addresses and a socket on it.
func open(ctx context.Context, choice string) (*ways.Way, net.PacketConn, error) {
	c, err := ways.Parse(choice)
	if err != nil {
		return nil, nil, err
	}
	w, err := ways.Open(ctx, c, ways.Config{})
	if err != nil {
		return nil, nil, err
	}
	p, err := w.Packets.ListenPacket(ctx)
	if err != nil {
		w.Close()
		return nil, nil, err
	}
	return w, p, nil
}

// write writes some datagrams outside, and tells whether any was taken.
func write(ctx context.Context, p net.PacketConn) (taken bool) {
	to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(play.Far))
	for range 5 {
		_, err := p.WriteTo([]byte("hello"), to)
		taken = taken || err == nil
		pause(ctx, 100*time.Millisecond)
	}
	return taken
}

// after loses what a way needs, and sees that nothing is taken any more.
func after(ctx context.Context, w *ways.Way, p net.PacketConn, lose func() error) error {
	if !write(ctx, p) {
		return errors.New("the way takes nothing while it is whole")
	}
	if err := lose(); err != nil {
		return err
	}
	pause(ctx, time.Second)
	write(ctx, p)
	if q, err := w.Packets.ListenPacket(ctx); err == nil && write(ctx, q) {
		return errors.New("a lost way takes what is sent")
	}
	return nil
}

// loseProxy goes by a SOCKS5 proxy of its own, which drops the control connection and answers no
// more.
func loseProxy(ctx context.Context) error {
	l, err := net.Listen("tcp4", play.Proxy)
	if err != nil {
		return err
	}
	defer l.Close()
	relay, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(
		strings.TrimSuffix(play.Proxy, ":1080"))})
	if err != nil {
		return err
	}
	defer relay.Close()
	held := make(chan net.Conn, 2)
	go serveProxy(l, relay.LocalAddr().(*net.UDPAddr).AddrPort(), held)
	w, p, err := open(ctx, "socks:"+play.Proxy)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wayTime)
	defer cancel()
	return after(ctx, w, p, func() error {
		for len(held) > 0 {
			(<-held).Close()
		}
		return nil
	})
}

// serveProxy grants two associations: one to see whether it does, one for use. Connections that
// come later are held and not answered.
func serveProxy(l net.Listener, relay netip.AddrPort, held chan<- net.Conn) {
	for n := 0; ; n++ {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if n > 1 {
			defer c.Close()
			continue
		}
		b := make([]byte, 256)
		if _, err := io.ReadFull(c, b[:2]); err != nil {
			continue
		}
		_, _ = io.ReadFull(c, b[:b[1]])
		_, _ = c.Write([]byte{5, 0})
		_, _ = io.ReadFull(c, b[:10])
		a := relay.Addr().As4()
		_, _ = c.Write([]byte{5, 0, 0, 1, a[0], a[1], a[2], a[3], byte(relay.Port() >> 8),
			byte(relay.Port())})
		held <- c
	}
}

// loseDevice goes by one interface, which is removed.
func loseDevice(ctx context.Context) error {
	name := play.Interface
	err := ip("link add "+name+" type veth peer name "+name+"w",
		"addr add 203.0.113.2/24 dev "+name,
		"link set "+name+" arp off", "link set "+name+"w up", "link set "+name+" up",
		"route add default via 203.0.113.1 dev "+name+" metric 500")
	if err != nil {
		return err
	}
	w, p, err := open(ctx, "device:"+name)
	if err != nil {
		var named *onion.Error
		if errors.As(err, &named) {
			err = fmt.Errorf("open: %w", named.Err)
		}
		return err
	}
	defer w.Close()
	return after(ctx, w, p, func() error { return ip("link del " + name) })
}
