//go:build e2e

// Watching programs of others.

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nightjar/audit/scenes/report"
)

// watched runs a program under the audit and returns the exit code and what was said.
func watched(t *testing.T, own string, command ...string) (int, string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), own,
		append([]string{"--"}, command...)...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return report.Clean, string(out)
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out)
	}
	t.Fatal(err)
	return 0, ""
}

func TestQuietProgramIsCleanAndOneThatAsksIsNot(t *testing.T) {
	own := built(t)
	if code, said := watched(t, own, "sh", "-c", "echo quiet"); code != report.Clean {
		t.Errorf("a quiet program: exit %d: %s", code, said)
	}
	code, said := watched(t, own, "sh", "-c", "timeout 2 getent hosts leak.example; exit 0")
	if code != report.Leak || !strings.Contains(said, "getent -> 192.0.2.53:53, udp") &&
		!strings.Contains(said, "program -> 192.0.2.53:53, udp") {
		t.Errorf("a program that asks for a name: exit %d: %s", code, said)
	}
	if code, said := watched(t, own, "./no-such-program"); code != report.Untrusted {
		t.Errorf("a program that is not there: exit %d: %s", code, said)
	}
}

func TestPhoneOfTheUsersIsSeenToLeak(t *testing.T) {
	if _, err := exec.LookPath("baresip"); err != nil {
		t.Fatal("baresip is missing: install the package baresip-core")
	}
	dir := t.TempDir()
	there, _ := filepath.Glob("/usr/lib/*/baresip/modules")
	here, _ := filepath.Glob("/usr/lib/baresip/modules")
	modules := append(there, here...)
	if len(modules) == 0 {
		t.Fatal("baresip's modules are missing: install the package baresip-core")
	}
	for name, text := range map[string]string{
		"accounts": "<sip:me@phones.example>;auth_pass=x;medianat=stun;" +
			"stunserver=\"stun:198.51.100.7:3478\"\n",
		"contacts": "",
		"config": "module_path " + modules[0] + "\nmodule stun.so\nmodule g711.so\n" +
			"module_tmp account.so\nmodule_app menu.so\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Told to end, it waits for minutes for answers to its last questions.
	code, said := watched(t, built(t), "timeout", "-k", "1", "5", "baresip", "-f", dir)
	if code != report.Leak || !strings.Contains(said, "baresip's program -> 192.0.2.53:53, udp") {
		t.Errorf("exit %d: %s", code, said)
	}
}
