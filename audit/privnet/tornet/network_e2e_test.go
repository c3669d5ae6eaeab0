//go:build e2e

// A real network: usable when Start returns, gone when Stop returns.

package tornet

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestNetworkBecomesUsableAndLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	n, err := Start(t.Context(), Options{Dir: parent, Progress: func(s string, d time.Duration) {
		t.Logf("%6.2f s  %s", d.Seconds(), s)
	}})
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, p := range n.procs {
		pids = append(pids, p.cmd.Process.Pid)
	}
	if len(pids) != 7 {
		t.Errorf("%d processes, want 7", len(pids))
	}
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("a process is still there")
		}
	}
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("%d files left", len(left))
	}
}

func TestStartIsCancelled(t *testing.T) {
	parent := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Start(ctx, Options{Dir: parent, Progress: func(s string, _ time.Duration) {
		if s == "7 processes started" {
			cancel()
		}
	}})
	if err == nil {
		t.Fatal("a cancelled start succeeded")
	}
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("%d files left", len(left))
	}
}

// TestOrphanWaitsToBeKilled is the program that the next test kills: it starts a tor, says its
// number, and waits. Without the argument it has nothing to do.
func TestOrphanWaitsToBeKilled(t *testing.T) {
	if flag.Arg(0) != "orphan" {
		return
	}
	tor, _, err := programs(Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := newNursery().spawn(tor, "child", flag.Arg(1), "DisableNetwork 1\nSocksPort 0\n"+
		"DataDirectory "+flag.Arg(1)+"\n")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(p.cmd.Process.Pid)
	<-p.done
}

func TestKilledProgramLeavesNoProcess(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestOrphanWaitsToBeKilled$", "orphan", t.TempDir())
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
	if !alive(pid) {
		t.Fatal("tor is not running")
	}
	cmd.Process.Kill()
	cmd.Wait()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); alive(pid); <-tick.C {
		if time.Since(begun) > 3*time.Second {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("tor outlives the program that started it")
		}
	}
}
