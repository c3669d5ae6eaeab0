//go:build e2e

// Claims about what phones leave behind, which is nothing.

package phone

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// starters are both phones, at a server where nobody listens.
func starters() map[string]func(context.Context, Config) (Phone, error) {
	return map[string]func(context.Context, Config) (Phone, error){
		"baresip": Baresip, "linphonec": Linphone}
}

func nobody() Config {
	return Config{Server: "127.0.0.1:9", User: "alice", Password: "x"}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestStoppedPhoneLeavesNoProcessAndNoFile(t *testing.T) {
	for name, begin := range starters() {
		t.Setenv("TMPDIR", t.TempDir())
		p, err := begin(t.Context(), nobody())
		if err != nil {
			t.Fatal(err)
		}
		if !alive(p.Pid()) {
			t.Errorf("%s does not run", name)
		}
		p.Stop()
		left, err := os.ReadDir(os.TempDir())
		if alive(p.Pid()) || err != nil || len(left) != 0 {
			t.Errorf("%s left a process or files: %v %v", name, left, err)
		}
	}
}

func TestKilledProgramLeavesNoPhone(t *testing.T) {
	for name := range starters() {
		cmd := exec.Command(os.Args[0], "-test.run=^TestOrphanMaker$", "orphan", name)
		cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pid := 0
		if _, err := fmt.Fscan(bufio.NewReader(out), &pid); err != nil || !alive(pid) {
			t.Fatalf("%s is not running: %v", name, err)
		}
		cmd.Process.Kill()
		cmd.Wait()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for begun := time.Now(); alive(pid); <-tick.C {
			if time.Since(begun) > 3*time.Second {
				syscall.Kill(pid, syscall.SIGKILL)
				t.Fatalf("%s outlives the program that started it", name)
			}
		}
	}
}

// TestOrphanMaker is the program that is killed; run as a test by itself it proves that a phone
// can be started.
func TestOrphanMaker(t *testing.T) {
	args := os.Args
	name, stay := "baresip", false
	if len(args) >= 2 && args[len(args)-2] == "orphan" {
		name, stay = args[len(args)-1], true
	}
	p, err := starters()[name](t.Context(), nobody())
	if err != nil {
		t.Fatal(err)
	}
	if stay {
		fmt.Println(p.Pid())
		select {}
	}
	p.Stop()
}
