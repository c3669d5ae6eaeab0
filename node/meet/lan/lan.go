// Package lan finds DHT nodes through those who run BitTorrent in the same local network. It
// listens to what they tell each other (BEP14), asks each for the nodes that it knows, and keeps
// those on the Internet: nodes of the local network itself cannot be reached through a gateway.
//
// It is given two sockets, sends nothing but DHT questions to who told of itself, and believes
// nothing: what it finds can only fail whoever uses it. Who is in the local network sees that this
// machine asks.
package lan

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"nightjar/node/meet/walk"
)

// The bounds of a search.
const (
	maxHosts  = 64  // programs that are asked
	maxFound  = 200 // nodes
	maxOfOne  = 32  // nodes that one program brings
	questions = 4   // for each program: about as many places of the DHT
	maxPacket = 1500
)

// A Search is one look around. Its fields are fixed before Run.
type Search struct {
	Hear   net.PacketConn              // what is told to everybody
	Ask    net.PacketConn              // for questions and their answers
	Public func(a netip.AddrPort) bool // reports whether a node is on the Internet

	mu    sync.Mutex
	asked map[netip.AddrPort][20]byte // who was asked, and the tids
	of    map[netip.AddrPort]int      // nodes that somebody brought
	found []netip.AddrPort
	known map[netip.AddrPort]bool
}

// Run searches until ctx ends, closes both sockets, and returns how many programs were heard and
// which nodes they know.
func (s *Search) Run(ctx context.Context) (heard int, nodes []netip.AddrPort) {
	s.asked, s.of = make(map[netip.AddrPort][20]byte), make(map[netip.AddrPort]int)
	s.known = make(map[netip.AddrPort]bool)
	stop := context.AfterFunc(ctx, func() {
		_ = s.Hear.Close()
		_ = s.Ask.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { s.receive(s.Hear, s.told) })
	both.Go(func() { s.receive(s.Ask, s.answered) })
	both.Wait()
	<-ctx.Done()
	return len(s.asked), s.found
}

func (s *Search) receive(c net.PacketConn, f func(b []byte, from netip.AddrPort)) {
	b := make([]byte, maxPacket)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		if u, ok := from.(*net.UDPAddr); ok {
			at := u.AddrPort()
			f(b[:n], netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
		}
	}
}

// told takes in what somebody tells of itself. The DHT node of a BitTorrent program has the port
// at which the program is.
func (s *Search) told(b []byte, from netip.AddrPort) {
	port, ok := announced(b)
	if !ok {
		return
	}
	at := netip.AddrPortFrom(from.Addr(), port)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.asked[at]; twice || len(s.asked) >= maxHosts {
		return
	}
	var tids, id [20]byte
	rand.Read(tids[:])
	rand.Read(id[:])
	s.asked[at] = tids
	for n := range questions {
		var target [20]byte
		rand.Read(target[:])
		q := walk.FindNode(id, target, tids[4*n:4*n+4])
		_, _ = s.Ask.WriteTo(q, net.UDPAddrFromAddrPort(at)) // UDP: it may be lost
	}
}

// answered takes in an answer of somebody who was asked.
func (s *Search) answered(b []byte, from netip.AddrPort) {
	tid, nodes, ok := walk.Named(b)
	if !ok || len(tid) != 4 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tids, was := s.asked[from]
	if at := bytes.Index(tids[:4*questions], tid); !was || at < 0 || at%4 != 0 {
		return
	}
	for _, n := range nodes {
		if s.known[n] || !s.Public(n) || s.of[from] >= maxOfOne || len(s.found) >= maxFound {
			continue
		}
		s.of[from]++
		s.known[n] = true
		s.found = append(s.found, n)
	}
}

// announced reads the port of what BEP14 tells: an HTTP-like head with a line "Port: N".
func announced(b []byte) (port uint16, ok bool) {
	head, rest, _ := strings.Cut(string(b), "\r\n")
	if len(b) > maxPacket || head != "BT-SEARCH * HTTP/1.1" {
		return 0, false
	}
	for line := range strings.SplitSeq(rest, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if !strings.EqualFold(name, "port") {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 16)
		return uint16(n), err == nil && n >= 1024
	}
	return 0, false
}

// Wait is how long a search takes as a rule: programs tell of themselves every five minutes
// (BEP14).
const Wait = 6 * time.Minute
