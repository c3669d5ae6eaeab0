//go:build e2e || teeth

// Running the audit as a program.

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"nightjar/audit/scenes/report"
)

// built builds the audit where every user can run it.
func built(t *testing.T) (own string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj-built")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	own = filepath.Join(dir, "audit")
	compile(t, own, ".")
	return own
}

func compile(t *testing.T, program, pkg string) {
	t.Helper()
	if out, err := exec.Command("go", "build", "-o", program, pkg).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// audited runs an audit of nightjar as a user (0: as this one), and returns its exit code, its
// report and what it said.
func audited(t *testing.T, own string, user uint32, args ...string) (int, report.Report, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj-user")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file, bin := filepath.Join(dir, "report"), filepath.Join(filepath.Dir(own), "nightjar")
	compile(t, bin, "../../cmd/nightjar")
	args = append([]string{"-nightjar", bin, "-json", file}, args...)
	cmd := exec.CommandContext(t.Context(), own, args...)
	cmd.Dir = dir
	if user != 0 {
		if err := os.Chown(dir, int(user), int(user)); err != nil {
			t.Fatal("only root can be another user: run the e2e tests as root")
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user,
			Gid: user}}
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var r report.Report
	if text, err := os.ReadFile(file); err == nil {
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&r); err != nil {
			t.Fatal(err)
		}
	}
	return cmd.ProcessState.ExitCode(), r, string(out)
}
