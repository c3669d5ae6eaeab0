//go:build teeth

// An audit by a tor that runs already.

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightjar/audit/privnet/tornet"
)

// system starts a tor as a machine has it, of a private network, and returns the directory of its
// sockets.
func system(t *testing.T) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj-system") // shorter than the test's own
	if err != nil {
		t.Fatal(err)
	}
	network, err := tornet.Start(t.Context(), tornet.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	torrc := filepath.Join(dir, "torrc")
	text := strings.Join(append(network.Torrc(), "DataDirectory "+filepath.Join(dir, "data"),
		"SocksPort unix:"+filepath.Join(dir, "socks"), "ControlPort unix:"+
			filepath.Join(dir, "control"), "CookieAuthentication 1"), "\n")
	if err := os.WriteFile(torrc, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "tor", "--defaults-torrc", "/dev/null", "-f", torrc,
		"--quiet")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = network.Stop()
		_ = os.RemoveAll(dir)
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := os.Stat(filepath.Join(dir, "data", "control_auth_cookie")); err == nil {
			break
		}
	}
	return dir
}

func TestNobodySendsWhereTorRunsOutside(t *testing.T) {
	dir := system(t)
	at := func(name string) string { return "unix:" + filepath.Join(dir, name) }
	code, r, said := audited(t, built(t), 0, "-tor-control", at("control"), "-tor-socks",
		at("socks"), "-only", "message")
	if code != 0 || len(r.Scenes) != 2 || !r.Proven {
		t.Fatalf("exit %d: %s", code, said)
	}
	for _, s := range r.Scenes {
		for _, l := range s.Lines {
			if strings.Contains(l.Owner, "tor") || l.Owner == "relay" {
				t.Errorf("%s sends inside: %+v", s.Name, l)
			}
		}
	}
}
