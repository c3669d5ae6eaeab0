// Servers in the world: an echo, a DNS server, and a WireGuard that knows nothing of ours.

package lab

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// The VPN's addresses.
const (
	Endpoint = World + ":51820" // outside
	Inside   = "10.9.0.1"       // of the other end
	Given    = "10.9.0.2"       // to the test
)

// Echo answers datagrams and streams at port 7 of an address of the world with what they bring.
// Streams to port 19 are sent bytes without end; those to port 9 are read to their end.
func (l *Lab) Echo(at string) {
	l.T.Helper()
	l.packets(at+":7", func(b []byte) []byte { return b })
	l.streams(at+":7", func(c net.Conn) { io.Copy(c, c) })
	l.streams(at+":9", func(c net.Conn) { io.Copy(io.Discard, c) })
	l.streams(at+":19", func(c net.Conn) {
		for b := make([]byte, 64<<10); ; {
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	})
}

// packets answers datagrams.
func (l *Lab) packets(at string, answer func([]byte) []byte) {
	l.T.Helper()
	var u net.PacketConn
	l.Visit(func() (err error) {
		u, err = net.ListenPacket("udp", at)
		return err
	})
	l.T.Cleanup(func() { u.Close() })
	go func() {
		for b := make([]byte, 64<<10); ; {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			if a := answer(b[:n]); a != nil {
				u.WriteTo(a, from)
			}
		}
	}()
}

// Listen opens a listener for TCP at an address of the world.
func (l *Lab) Listen(at string) (s net.Listener) {
	l.T.Helper()
	l.Visit(func() (err error) {
		s, err = net.Listen("tcp", at)
		return err
	})
	l.T.Cleanup(func() { s.Close() })
	return s
}

// streams serves streams.
func (l *Lab) streams(at string, serve func(net.Conn)) {
	l.T.Helper()
	s := l.Listen(at)
	go func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
}

// DNS answers every question for an address with that of the far host, and returns the names that
// were asked for.
func (l *Lab) DNS(at string) <-chan string {
	l.T.Helper()
	asked := make(chan string, 64)
	l.packets(at+":53", func(b []byte) []byte {
		var m dnsmessage.Message
		if m.Unpack(b) != nil || len(m.Questions) != 1 {
			return nil
		}
		q := m.Questions[0]
		asked <- q.Name.String()
		m.Response, m.RecursionAvailable = true, true
		if q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 5},
				Body:   &dnsmessage.AResource{A: netip.MustParseAddr(Far).As4()}}}
		}
		answer, _ := m.Pack()
		return answer
	})
	return asked
}

// WireGuard starts Debian's WireGuard at Endpoint, and returns the file that its operator would
// hand out, and what ends it.
func (l *Lab) WireGuard() (file []byte, stop func()) {
	l.T.Helper()
	files, stop := l.WireGuards(1)
	return files[0], stop
}

// WireGuards is WireGuard for several, each with an address of its own: Given, and those above it.
func (l *Lab) WireGuards(n int) (files [][]byte, stop func()) {
	l.T.Helper()
	Need(l.T, "wireguard-go", "wireguard-go")
	Need(l.T, "wg", "wireguard-tools")
	name := "wg" + l.ID[2:]
	stop = l.Start("wireguard-go", "-f", name)
	socket := "/var/run/wireguard/" + name + ".sock"
	l.T.Cleanup(func() { os.Remove(socket) })
	l.Await(10*time.Second, "WireGuard begins", func() bool {
		_, err := os.Stat(socket)
		return err == nil
	})
	theirs := newKey(l)
	conf := filepath.Join(l.T.TempDir(), "wg.conf")
	text := fmt.Sprintf("[Interface]\nPrivateKey = %s\nListenPort = 51820\n",
		encode(theirs.Bytes()))
	for given := netip.MustParseAddr(Given); len(files) < n; given = given.Next() {
		ours := newKey(l)
		text += fmt.Sprintf("[Peer]\nPublicKey = %s\nAllowedIPs = %s/32\n",
			encode(ours.PublicKey().Bytes()), given)
		files = append(files, fmt.Appendf(nil, "[Interface]\nPrivateKey = %s\n"+
			"Address = %s/24\nDNS = %s\n\n[Peer]\nPublicKey = %s\nEndpoint = %s\n"+
			"AllowedIPs = 0.0.0.0/0\n", encode(ours.Bytes()), given, Inside,
			encode(theirs.PublicKey().Bytes()), Endpoint))
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		l.T.Fatal(err)
	}
	l.InWorld("wg", "setconf", name, conf)
	l.InWorld("ip", "addr", "add", Inside+"/24", "dev", name)
	l.InWorld("ip", "link", "set", name, "up")
	l.InWorld("sysctl", "-q", "-w", "net.ipv4.ip_forward=1") // from one of them to another
	return files, stop
}

func newKey(l *Lab) *ecdh.PrivateKey {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		l.T.Fatal(err)
	}
	return k
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// passwords writes files like the system's passwd and shadow, with one user more.
func (l *Lab) passwords(user, hash string) (passwd, shadow string) {
	dir := l.T.TempDir()
	passwd, shadow = filepath.Join(dir, "passwd"), filepath.Join(dir, "shadow")
	for file, text := range map[string]string{
		passwd: "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n" + user +
			":x:65533:65533::/:/bin/false\n",
		shadow: "root:*:1::::::\nnobody:*:1::::::\n" + user + ":" + hash + ":1::::::\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			l.T.Fatal(err)
		}
	}
	return passwd, shadow
}

// Hashed is a password for Dante, and Hash what crypt(5) makes of it.
const (
	Hashed = "hunter2"
	Hash   = "$6$nightjar$siWnBODjQVwH.ciU1r9/.Wf0q..CFxMwV5BI53pohYFMfXlq0Y/" +
		"ndzN.n63K6mAyjdgIE2OqX6RDOl2hYVCjD."
)

// Dante starts Debian's SOCKS5 server at World:1080. If user is not empty it takes only that user,
// whose password crypt(5) makes hash of. It returns what ends it.
func (l *Lab) Dante(user, hash string) (stop func()) {
	l.T.Helper()
	Need(l.T, "danted", "dante-server")
	method := "none"
	if user != "" {
		method = "username"
	}
	conf := filepath.Join(l.T.TempDir(), "danted.conf")
	text := strings.NewReplacer("METHOD", method, "WORLD", World).Replace(`logoutput: stderr
internal: WORLD port = 1080
external: WORLD
clientmethod: none
socksmethod: METHOD
user.privileged: root
user.unprivileged: nobody
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 command: connect udpassociate }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 command: udpreply }
`)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		l.T.Fatal(err)
	}
	pid := filepath.Join(l.T.TempDir(), "pid")
	script := "exec danted -f " + conf + " -p " + pid
	if user != "" {
		passwd, shadow := l.passwords(user, hash)
		script = "mount --bind " + passwd + " /etc/passwd && mount --bind " + shadow +
			" /etc/shadow && " + script
	}
	stop = l.Start("unshare", "--mount", "sh", "-c", script)
	l.Await(10*time.Second, "the SOCKS5 server begins", func() bool {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(World, "1080"), time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return stop
}
