//go:build e2e

// SOCKS5 with datagrams, by Debian's dante.

package ways_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"nightjar/audit/privnet/lab"
	"nightjar/onion"
	"nightjar/onion/socks5"
	"nightjar/onion/ways"
)

const proxyRule = "ip daddr " + lab.World // the proxy, and its relays at ports of its choice

const proxyWords = "socks:" + lab.World + ":1080"

// toProxy is true of packets to the proxy's host.
func toProxy(p lab.Packet) bool { return p.To.Addr() == netip.MustParseAddr(lab.World) }

func TestAllGoesByTheProxyOrNowhere(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		kill := l.Dante("", "")
		l.Echo(lab.Far)
		watch := l.Watch(proxyRule)
		w := open(l.T, proxyWords, ways.Config{})
		c, other := socket(l.T, w), socket(l.T, w)
		if !echoes(c, lab.Far, 5*time.Second) || !echoes(other, lab.Far, 5*time.Second) {
			l.T.Fatal("no datagram comes back")
		}
		streams(l.T, w, lab.Far)
		other.Close()
		if !echoes(c, lab.Far, 5*time.Second) {
			l.T.Error("the end of one socket ended another")
		}
		kill()
		lost, ok := c.(interface{ Lost() <-chan struct{} })
		if !ok {
			l.T.Fatal("the socket cannot tell that it is lost")
		}
		select {
		case <-lost.Lost():
		case <-time.After(5 * time.Second):
			l.T.Fatal("the end of the proxy is not noticed")
		}
		if _, _, err := c.ReadFrom(make([]byte, 1)); err != socks5.ErrLost {
			l.T.Errorf("after the end of the proxy: %v", err)
		}
		dead(l.T, w, c)
		if _, err := w.Packets.ListenPacket(l.T.Context()); err == nil {
			l.T.Error("a socket by a proxy that is gone")
		}
		clean(l.T, watch, toProxy)
	})
}

func TestProxyWithALoginIsEntered(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		l.Dante("alice", lab.Hash)
		l.Echo(lab.Far)
		w := open(l.T, proxyWords, ways.Config{User: "alice", Password: lab.Hashed})
		if !echoes(socket(l.T, w), lab.Far, 5*time.Second) {
			l.T.Error("no datagram comes back")
		}
		choice, err := ways.Parse(proxyWords)
		if err != nil {
			l.T.Fatal(err)
		}
		for _, wrong := range []ways.Config{{}, {User: "alice", Password: "hunter3"}} {
			_, err := ways.Open(l.T.Context(), choice, wrong)
			var at *onion.Error
			if !errors.Is(err, socks5.ErrDenied) || !errors.As(err, &at) || at.Place != onion.Gate {
				l.T.Errorf("without the login: %v", err)
			}
		}
	})
}
