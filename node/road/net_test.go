// The stage for tests of the road by addresses: machines on an internet in memory, and DHT nodes
// that answer pings.

package road

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/card"
	"nightjar/onion"
	"nightjar/onion/frame"
	"nightjar/onion/inet"
	"nightjar/tunnel"
)

var _ onion.Packets = (*inet.Way)(nil)

// bareKey is a static key in the clear.
type bareKey struct{ *ecdh.PrivateKey }

func (k bareKey) AgreementKey() [32]byte { return [32]byte(k.PublicKey().Bytes()) }

func (k bareKey) Agree(peer [32]byte) ([32]byte, error) {
	point, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return [32]byte{}, err
	}
	shared, err := k.ECDH(point)
	return [32]byte(shared), err
}

// stage is one test's internet.
type stage struct {
	*testing.T
	net   *inet.Internet
	nodes []netip.AddrPort

	allowed func(netip.AddrPort) bool // where people may send
}

// public is where people may send, and everywhere where they may in networks for tests.
func public(a netip.AddrPort) bool     { return frame.MaySend(a, false) }
func everywhere(a netip.AddrPort) bool { return frame.MaySend(a, true) }

// onStage runs a test under fake time with n DHT nodes.
func onStage(t *testing.T, n int, f func(s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, net: inet.New(), allowed: public}
		for range n {
			s.node(func(from netip.AddrPort) netip.AddrPort { return from })
		}
		f(s)
	})
}

// node is a DHT node that says who asks is seen as says tells; invalid: it says nothing of it.
func (s *stage) node(says func(netip.AddrPort) netip.AddrPort) {
	w := s.net.Way(inet.Open)
	pc, err := w.ListenPacket(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	s.nodes = append(s.nodes, netip.AddrPortFrom(w.Addr(), 1025))
	s.Cleanup(func() { w.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if _, err := pc.WriteTo(pong(b[:n], says(from.(*net.UDPAddr).AddrPort())),
				from); err != nil {
				return
			}
		}
	}()
}

// pong is the answer to a ping.
func pong(ping []byte, seen netip.AddrPort) []byte {
	_, rest, _ := bytes.Cut(ping, []byte("1:t8:"))
	ip := ""
	if seen.IsValid() {
		ip = "2:ip6:" + string(binary.BigEndian.AppendUint16(seen.Addr().AsSlice(), seen.Port()))
	}
	return fmt.Appendf(nil, "d%s1:rd2:id20:%020de1:t8:%s1:y1:re", ip, 0, rest[:tidSize])
}

// someone is one end: a machine, its road, and what it takes in.
type someone struct {
	*addresses
	way  *inet.Way
	key  bareKey
	who  *someone // the contact
	up   int
	stop func()
}

// pair makes two contacts, whose roads run.
func (s *stage) pair(a, b inet.NAT) (x, y *someone) {
	x, y = &someone{way: s.net.Way(a)}, &someone{way: s.net.Way(b)}
	for _, p := range []*someone{x, y} {
		k, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			s.Fatal(err)
		}
		p.key = bareKey{k}
	}
	x.who, y.who = y, x
	for _, p := range []*someone{x, y} {
		var mu sync.Mutex
		p.addresses = NewAddresses(Addresses{Packets: p.way, Key: p.key,
			Peers:   func() []tunnel.Peer { return []tunnel.Peer{p.who.peer()} },
			Nodes:   func() []netip.AddrPort { return s.nodes },
			Allowed: s.allowed,
			Tell:    func(string) {},
			Up:      func() { mu.Lock(); defer mu.Unlock(); p.up++ },
		}).(*addresses)
		ctx, cancel := context.WithCancel(s.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		p.stop = sync.OnceFunc(func() { cancel(); <-done; p.way.Close() })
		s.Cleanup(p.stop)
	}
	return x, y
}

// peer is p as its contact knows it.
func (p *someone) peer() tunnel.Peer {
	return tunnel.Peer{Static: p.key.AgreementKey(), Root: [32]byte{7}, PSK: [32]byte{8}}
}

// reach is where p can be reached, when that is known.
func (s *stage) reach(p *someone) card.Reach {
	s.Helper()
	<-p.Ready()
	r, err := p.Reach(0)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// dial knocks at p's contact for as long as a dial lasts.
func (s *stage) dial(p *someone, r card.Reach) (tunnel.Tunnel, error) {
	ctx, cancel := context.WithTimeout(s.Context(), KnockTime)
	defer cancel()
	return p.Dial(ctx, r, p.who.peer())
}

// accepts has p take in tunnels until the test ends.
func (s *stage) accepts(p *someone) <-chan tunnel.Tunnel {
	got := make(chan tunnel.Tunnel, 16)
	go func() {
		for {
			t, err := p.Accept(s.Context())
			if err != nil {
				return
			}
			got <- t
		}
	}()
	return got
}

// within waits for a tunnel, at most that long.
func within(got <-chan tunnel.Tunnel, d time.Duration) tunnel.Tunnel {
	select {
	case t := <-got:
		return t
	case <-time.After(d):
		return nil
	}
}

func addr(a netip.AddrPort) net.Addr { return net.UDPAddrFromAddrPort(a) }
