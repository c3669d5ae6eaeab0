// The internet sockets of a process, as the kernel knows them.

package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// sockets lists the internet sockets a process holds, as the kernel knows them: "udp
// 127.0.0.1:5060". Unix sockets are not listed. A process in a network namespace of its own may
// hold some that it was given, which are of ours.
func sockets(pid int) ([]string, error) {
	mine, err := inodes(pid)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, proto := range []string{"udp", "tcp", "udp6", "tcp6", "raw"} {
		for _, process := range []int{pid, os.Getpid()} {
			found, err := table(process, proto, mine)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// inodes are the socket numbers among a process's open files.
func inodes(pid int) (map[string]bool, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		if n, ok := strings.CutPrefix(target, "socket:["); ok {
			out[strings.TrimSuffix(n, "]")] = true
		}
	}
	return out, nil
}

// table picks sockets out of the kernel's table of one protocol, in the namespace of a process.
func table(pid int, proto string, mine map[string]bool) ([]string, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", pid, proto))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	scan := bufio.NewScanner(f)
	scan.Scan() // the heading
	for scan.Scan() {
		fields := strings.Fields(scan.Text())
		if len(fields) < 10 || !mine[fields[9]] {
			continue
		}
		a, err := kernelAddr(fields[1])
		if err != nil {
			return nil, err
		}
		out = append(out, proto+" "+a.String())
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
