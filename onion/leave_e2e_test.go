//go:build e2e && linux

// What a path opens, and what it leaves behind when its program is killed.

package onion_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightjar/onion"
)

// A socket is one line of the system's tables.
type socket struct {
	proto, state string
	local, far   netip.AddrPort
}

const listening = "0A"

// sockets returns the Internet sockets that a process holds.
func sockets(t *testing.T, pid int) []socket {
	t.Helper()
	held := map[string]bool{}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		link, _ := os.Readlink(fd)
		if inode, ok := strings.CutPrefix(link, "socket:["); ok {
			held[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var all []socket
	for _, proto := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6"} {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, proto))
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 9 && held[f[9]] {
				all = append(all, socket{proto, f[3], address(f[1]), address(f[2])})
			}
		}
	}
	return all
}

// address reads the IPv4 form of the tables; others are the zero address.
func address(s string) netip.AddrPort {
	var port uint16
	ip, text, _ := strings.Cut(s, ":")
	fmt.Sscanf(text, "%X", &port)
	b, err := hex.DecodeString(ip)
	if err != nil || len(b) != 4 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}), port)
}

func TestNoSocketsButTorsOwnToItsRelays(t *testing.T) {
	before := len(sockets(t, os.Getpid())) // the private network holds one
	there, here := startTor(t, nil), startTor(t, nil)
	l := echo(t, there, onion.Service{})
	c := dial(t, here, onion.Remote{ID: l.ID(), Port: 7}, "")
	defer c.Close()
	exchange(t, c)
	if own := sockets(t, os.Getpid()); len(own) != before {
		t.Errorf("this process holds %v", own)
	}
	for _, tor := range []*onion.Tor{there, here} {
		relays := 0
		for _, s := range sockets(t, tor.PID()) {
			if s.proto != "tcp" || s.state == listening || !s.far.Addr().IsLoopback() {
				t.Errorf("tor holds %v", s)
			}
			relays++
		}
		if relays == 0 {
			t.Error("tor holds no socket at all: this test proves nothing")
		}
	}
}

// TestOrphanWaitsToBeKilled is the program that the next test kills: it starts a tor, says its
// number, and waits. Without the argument it has nothing to do.
func TestOrphanWaitsToBeKilled(t *testing.T) {
	if flag.Arg(0) != "orphan" {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tor, err := onion.StartTor(ctx, onion.TorConfig{Dir: flag.Arg(1), Options: flag.Args()[2:]})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(tor.PID())
	<-tor.Done()
}

func TestKilledProgramLeavesNoTorAndAWipedDirectory(t *testing.T) {
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(dir)
	args := append([]string{"-test.run=^TestOrphanWaitsToBeKilled$", "orphan", dir}, network.Torrc()...)
	cmd := exec.Command(os.Args[0], args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(bufio.NewReader(out), &pid); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	cmd.Process.Kill()
	cmd.Wait()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ; syscall.Kill(pid, 0) == nil; <-tick.C {
		if time.Since(begun) > 5*time.Second {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("tor outlives the program that started it")
		}
	}
	t.Logf("tor ended %v after its program", time.Since(begun).Round(time.Millisecond))
	left, _ := os.ReadDir(dir)
	if len(left) != 1 {
		t.Fatalf("%d directories left, want the one of the killed program", len(left))
	}
	if info, _ := left[0].Info(); info.Mode().Perm() != 0o700 {
		t.Errorf("it can be read by others: %v", info.Mode())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tor, err := onion.StartTor(ctx, onion.TorConfig{Dir: dir, Options: network.Torrc()})
	if err != nil {
		t.Fatal(err)
	}
	if now, _ := os.ReadDir(dir); len(now) != 1 || now[0].Name() == left[0].Name() {
		t.Error("the next start did not wipe it")
	}
	tor.Close()
}
