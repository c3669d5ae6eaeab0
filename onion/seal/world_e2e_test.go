//go:build e2e && linux

// Nothing of a sealed process arrives anywhere, in a network where what an unsealed one sends does.

package seal

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestNoPacketOfASealedProcessReachesAnotherMachine(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "home"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "world", dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.Output()
	var packets map[string]int
	if jerr := json.Unmarshal(out, &packets); err != nil || jerr != nil {
		t.Fatalf("%v, %v: %s", err, jerr, out)
	}
	if packets["naive"] < 4 {
		t.Errorf("an unsealed process sent %d packets: this test proves nothing", packets["naive"])
	}
	for _, how := range []string{"sealed", "calls"} {
		if n, played := packets[how]; n != 0 || !played {
			t.Errorf("%s: %d packets", how, n)
		}
	}
	t.Logf("packets: %v", packets)
}
