//go:build e2e || bench

// The tests run in a network of their own, where they may block what they like.

package onion_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

var inside = flag.Bool("inside", false, "the network is our own")

// enclose runs the tests again in a new network namespace, and returns their exit code.
func enclose() int {
	script := `ip link set lo up && exec "$0" -inside "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, os.Args[0]}, os.Args[1:]...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET,
		Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		ids := func(id int) []syscall.SysProcIDMap {
			return []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}}
		}
		cmd.SysProcAttr.UidMappings = ids(os.Getuid())
		cmd.SysProcAttr.GidMappings = ids(os.Getgid())
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Println("no network namespace (Debian's package iproute2, and a kernel that allows it):",
			err)
		return 1
	}
	return 0
}

// marked is the group of those tors that tests cut off; their bridges' transports are in it too.
const marked = "4242"

// markedTor returns a tor program whose packets the firewall can tell from those of the network. A
// tor ignores OutboundBindAddress on loopback, so that its group has to do.
func markedTor(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("only root can put a program into another group: run the e2e tests as root")
	}
	return wrapped(t, `exec setpriv --regid `+marked+` --clear-groups "$tor" "$@"`)
}

// wrapped returns a program that starts tor as the script says.
func wrapped(t *testing.T, script string) string {
	t.Helper()
	tor, err := exec.LookPath("tor")
	if err != nil {
		tor = "/usr/sbin/tor"
	}
	name := filepath.Join(t.TempDir(), "tor")
	text := "#!/bin/sh\nPATH=/usr/bin:/bin\ntor=" + tor + "\n" + script + "\n"
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// nft changes what the firewall of this network does.
func nft(t *testing.T, rules string) {
	t.Helper()
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nft (Debian's package nftables): %v: %s", err, out)
	}
}

// The entries of the network, by their ports: the authority, six relays and the bridge's own port;
// and with its transport's.
const (
	listed = 9
	every  = 10
)

// block cuts marked tors off from the first of the network's ports, and returns what lets them
// through again: "drop" as when the cable is out, "reject with tcp reset" as a censor does.
func block(t *testing.T, ports int, how string) (unblock func()) {
	t.Helper()
	_, rest, _ := strings.Cut(strings.Join(network.Torrc(), " "), "orport=")
	base, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	nft(t, fmt.Sprintf("table inet weather { chain out { type filter hook output priority 0; "+
		"meta skgid %s tcp dport %d-%d counter %s; }; }", marked, base, base+ports-1, how))
	gone := false
	unblock = func() {
		if !gone {
			gone = true
			nft(t, "delete table inet weather")
		}
	}
	t.Cleanup(unblock)
	return unblock
}
