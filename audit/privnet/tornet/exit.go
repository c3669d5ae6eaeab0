// An exit: one relay lets streams out, to loopback alone, and asks a name service of our own.

package tornet

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// names is the name service of the exit. It says of every name that it is at loopback.
type names struct {
	conn net.PacketConn
	work sync.WaitGroup

	mu    sync.Mutex
	asked []string
}

func serveNames() (*names, error) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &names{conn: c}
	s.work.Go(func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if answer := s.answer(b[:n]); answer != nil {
				_, _ = c.WriteTo(answer, from)
			}
		}
	})
	return s, nil
}

// answer notes what is asked, and says where it is.
func (s *names) answer(b []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(b) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	s.mu.Lock()
	s.asked = append(s.asked, strings.ToLower(strings.TrimSuffix(q.Name.String(), ".")))
	s.mu.Unlock()
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	if q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: netip.MustParseAddr(authorityIP).As4()}}}
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}

// exitTorrc turns a relay's file into that of an exit. Its streams leave from a loopback address,
// from which no packet can reach another machine.
func (n *Network) exitTorrc(torrc, dir string) (string, error) {
	file := filepath.Join(dir, "resolv.conf")
	line := "nameserver " + n.names.conn.LocalAddr().String() + "\n"
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		return "", err
	}
	torrc = strings.Replace(torrc, "ExitRelay 0\n", "ExitRelay 1\n", 1)
	torrc = strings.Replace(torrc, "ExitPolicy reject *:*\n", "ExitPolicy accept *:*\n", 1)
	return torrc + strings.Join([]string{
		"OutboundBindAddressExit " + relayIP,
		"ServerDNSResolvConfFile " + file,
		"ServerDNSDetectHijacking 0",
		"ServerDNSAllowBrokenConfig 1",
	}, "\n") + "\n", nil
}

// Asked lists the names that the exit has asked for, in lower case. It is for networks started with
// Options.Exit.
func (n *Network) Asked() []string {
	n.names.mu.Lock()
	defer n.names.mu.Unlock()
	return append([]string{}, n.names.asked...)
}

// NameService is where the exit asks for names, so that a test can see what asking there shows.
func (n *Network) NameService() netip.AddrPort {
	return n.names.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}
