// The kernel's tables of sockets.

package held

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Socket is one that the kernel lists.
type Socket struct {
	Proto         byte
	Local, Remote netip.AddrPort
	Listens       bool // TCP
	Raw           bool // any protocol, below TCP and UDP
	Inode         uint64
}

// stateListen is how the kernel's tables mark a TCP socket that listens.
const stateListen = "0A"

// tables are the files of the kernel, and what is in them.
var tables = []struct {
	name  string
	proto byte
	raw   bool
}{{"tcp", unix.IPPROTO_TCP, false}, {"udp", unix.IPPROTO_UDP, false},
	{"tcp6", unix.IPPROTO_TCP, false}, {"udp6", unix.IPPROTO_UDP, false},
	{"udplite", 136, false}, {"udplite6", 136, false}, {"icmp", unix.IPPROTO_ICMP, false},
	{"icmp6", unix.IPPROTO_ICMPV6, false}, {"raw", 0, true}, {"raw6", 0, true}}

// Read reads the tables of some protocols, or every table, of our network namespace.
func Read(protos []byte) ([]Socket, error) { return socketsAround("self", protos) }

// socketsAround reads the tables of the network namespace that a process is in. A table that this
// kernel lacks is empty.
func socketsAround(process string, protos []byte) ([]Socket, error) {
	var out []Socket
	for _, t := range tables {
		if protos != nil && !slices.Contains(protos, t.proto) {
			continue
		}
		f, err := os.Open("/proc/" + process + "/net/" + t.name)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out, err = readTable(f, t.proto, t.raw, out)
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readTable reads one table: a heading, and a line for each socket.
func readTable(r io.Reader, proto byte, raw bool, out []Socket) ([]Socket, error) {
	scan := bufio.NewScanner(r)
	scan.Scan()
	for scan.Scan() {
		fields := strings.Fields(scan.Text())
		if len(fields) < 10 {
			continue
		}
		local, err := kernelAddr(fields[1])
		if err != nil {
			return nil, err
		}
		remote, err := kernelAddr(fields[2])
		if err != nil {
			return nil, err
		}
		inode, err := strconv.ParseUint(fields[9], 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, Socket{Proto: proto, Local: local, Remote: remote, Raw: raw,
			Listens: proto == unix.IPPROTO_TCP && fields[3] == stateListen, Inode: inode})
	}
	return out, scan.Err()
}

// kernelAddr reads "0100007F:13C4": the address in the machine's byte order, the port.
func kernelAddr(s string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i+4 <= len(b); i += 4 {
		binary.BigEndian.PutUint32(b[i:], binary.NativeEndian.Uint32(b[i:]))
	}
	a, ok := netip.AddrFromSlice(b)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("the kernel's table has an address of %d bytes", len(b))
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), nil
}
