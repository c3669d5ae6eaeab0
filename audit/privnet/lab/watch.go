// Every packet that leaves home, seen twice: counted by the kernel's filter, and captured.

package lab

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Packet is one that left home.
type Packet struct {
	Proto byte // as in the IP header: 6 TCP, 17 UDP, 58 ICMPv6
	To    netip.AddrPort
}

// A Watch looks at what leaves home.
type Watch struct {
	lab  *Lab
	file string
	dump *exec.Cmd
	said *bufio.Reader
}

// Seen is what a Watch has seen: packets to where they may go, and all others.
type Seen struct{ Allowed, Stray int }

// Watch begins to look. Rule says in nft's words what may leave by eth0. The capture begins before
// the counters: an acknowledgement of what came before may leave in between, and all that is
// counted must have been captured.
func (l *Lab) Watch(rule string) *Watch {
	l.T.Helper()
	rules := `table inet lab {
	counter allowed { }
	counter kernel { }
	counter stray { }
	chain out {
		type filter hook output priority 0;
		oifname != "eth0" accept
		` + rule + ` counter name allowed accept
		icmpv6 type nd-router-solicit counter name kernel accept
		icmpv6 type nd-neighbor-solicit counter name kernel accept
		icmpv6 type nd-neighbor-advert counter name kernel accept
		icmpv6 type mld2-listener-report counter name kernel accept
		counter name stray
	}
}`
	file := filepath.Join(l.T.TempDir(), "rules")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		l.T.Fatal(err)
	}
	w := &Watch{lab: l, file: filepath.Join(l.T.TempDir(), "packets")}
	w.dump = exec.Command("dumpcap", "-q", "-P", "-i", "eth0", "-w", w.file)
	said, err := w.dump.StderrPipe()
	if err == nil {
		err = w.dump.Start()
	}
	if err != nil {
		l.T.Fatal(err)
	}
	w.said = bufio.NewReader(said)
	for {
		line, err := w.said.ReadString('\n')
		if strings.HasPrefix(line, "File:") {
			l.Do("nft", "-f", file)
			return w
		}
		if err != nil {
			l.T.Fatalf("dumpcap does not begin: %s%v", line, err)
		}
	}
}

// Counted returns what the kernel's filter has counted so far.
func (w *Watch) Counted() Seen {
	w.lab.T.Helper()
	read := func(name string) int {
		out := w.lab.Do("nft", "list", "counter", "inet", "lab", name)
		m := regexp.MustCompile(`packets (\d+)`).FindStringSubmatch(out)
		n, err := strconv.Atoi(m[1])
		if err != nil {
			w.lab.T.Fatal(err)
		}
		return n
	}
	return Seen{read("allowed"), read("stray")}
}

// Captured ends the capture and returns what it holds. It waits for a stray packet, which the
// caller has sent last: before that has been written down, nothing says that the capture is whole.
func (w *Watch) Captured(may func(Packet) bool) Seen {
	w.lab.T.Helper()
	w.lab.Await(10*time.Second, "the stray packet is captured", func() bool {
		return w.captured(may).Stray > 0
	})
	w.dump.Process.Signal(os.Interrupt)
	io.Copy(io.Discard, w.said)
	w.dump.Wait()
	return w.captured(may)
}

func (w *Watch) captured(may func(Packet) bool) (s Seen) {
	w.lab.T.Helper()
	f, err := os.Open(w.file)
	if err != nil {
		w.lab.T.Fatal(err)
	}
	defer f.Close()
	packets, err := readCapture(bufio.NewReader(f))
	if err != nil {
		w.lab.T.Fatal(err)
	}
	for _, p := range packets {
		if may(p) {
			s.Allowed++
		} else {
			s.Stray++
		}
	}
	return s
}

var errCapture = errors.New("not a capture of an Ethernet")

// readCapture reads a file of libpcap's first format, as far as it goes. Packets that come in, ARP,
// and the kernel's own talk of IPv6 neighbours are left out.
func readCapture(r io.Reader) ([]Packet, error) {
	var head [24]byte
	if n, err := io.ReadFull(r, head[:]); n == 0 {
		return nil, nil // not begun
	} else if err != nil {
		return nil, err
	}
	magic := binary.LittleEndian.Uint32(head[:])
	if magic != 0xa1b2c3d4 && magic != 0xa1b23c4d || head[20] != 1 {
		return nil, errCapture
	}
	var out []Packet
	for {
		var at [16]byte
		if _, err := io.ReadFull(r, at[:]); err != nil {
			return out, nil // the end, or as far as it has been written
		}
		frame := make([]byte, min(binary.LittleEndian.Uint32(at[8:]), 1<<18))
		if _, err := io.ReadFull(r, frame); err != nil {
			return out, nil
		}
		if p, ok := leaving(frame); ok {
			out = append(out, p)
		}
	}
}

// leaving reads one frame, if it is a packet that leaves home.
func leaving(frame []byte) (p Packet, ok bool) {
	if len(frame) < 14+20 {
		return p, false
	}
	ip := frame[14:]
	var from, to netip.Addr
	size := 0
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x0800:
		from, to = netip.AddrFrom4([4]byte(ip[12:])), netip.AddrFrom4([4]byte(ip[16:]))
		p.Proto, size = ip[9], int(ip[0]&15)*4
	case 0x86dd:
		if len(ip) < 40 {
			return p, false
		}
		from, to = netip.AddrFrom16([16]byte(ip[8:])), netip.AddrFrom16([16]byte(ip[24:]))
		p.Proto, size = ip[6], 40
	default:
		return p, false
	}
	local := from.IsLinkLocalUnicast() || from.IsUnspecified()
	if p.Proto == 58 || p.Proto == 0 && local || from == netip.MustParseAddr(World) ||
		from == netip.MustParseAddr(Far) || from == netip.MustParseAddr("2001:db8::1") {
		return p, false
	}
	port := uint16(0)
	if (p.Proto == 6 || p.Proto == 17) && len(ip) >= size+4 {
		port = binary.BigEndian.Uint16(ip[size+2:])
	}
	p.To = netip.AddrPortFrom(to, port)
	return p, true
}
