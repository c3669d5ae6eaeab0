//go:build e2e

// An audit by an ordinary user, and where it is refused.

package main

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"nightjar/audit/scenes/report"
)

// ordinary is a user who may do nothing that others may not.
const ordinary = 65533

func TestOrdinaryUserAuditsWhatRootDoes(t *testing.T) {
	code, r, said := audited(t, built(t), ordinary, "-only", "sdp-names,no-namespaces")
	if code != report.Clean || len(r.Scenes) != 3 {
		t.Fatalf("exit %d: %s", code, said)
	}
	seen := map[string]bool{}
	for _, l := range r.Scenes[1].Lines {
		seen[l.Owner+" to "+l.To] = true
	}
	// What a phone sends may come to a socket that the guard has just opened for the engine.
	heard := seen["phone to desk's engine"] || seen["phone to desk's guard"]
	if !seen["desk's engine to phone"] || !heard {
		t.Errorf("the engine's own packets are not known for its: %v", seen)
	}
}

func TestWhoeverHasNoNamespacesIsToldWhatToDo(t *testing.T) {
	own := built(t)
	cmd := exec.CommandContext(t.Context(), own, "-part", "without", "namespaces", own)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary,
		Gid: ordinary}}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != report.Untrusted ||
		!strings.Contains(string(out), "this user have no namespaces") ||
		!strings.Contains(string(out), "hint: run it as root") {
		t.Errorf("%v: %s", err, out)
	}
}
