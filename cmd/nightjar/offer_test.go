// Claims about what others offer to the user.

package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestBridgeOfOthersIsNoCommandToTheShell(t *testing.T) {
	var out bytes.Buffer
	hostile := "obfs4 192.0.2.7:443 x'; echo pwned; '\x1b[2J $(echo pwned) `echo pwned`"
	console{out: &out}.offerBridges([]string{hostile})
	run := func(script string) string {
		b, _ := exec.Command("sh", "-c", "nightjar() { printf '<%s>' \"$@\"; }\n"+script).Output()
		return string(b) // whatever came of it
	}
	_, line, found := strings.Cut(out.String(), "next: ")
	if !found || strings.Contains(line, "\x1b") {
		t.Fatalf("shown: %q", out.String())
	}
	if got := run(line); !strings.HasPrefix(got, "<bridge><add><obfs4 ") ||
		strings.Count(got, "<") != 3 || strings.Count(got, "echo pwned") != 3 {
		t.Errorf("the shell ran something: %q", got)
	}
	if got := run("nightjar bridge add '" + hostile + "'"); !strings.Contains(got, "pwned\n") {
		t.Errorf("naive quoting does as well, this test proves nothing: %q", got)
	}
}

func TestNoBridgesAreNoWords(t *testing.T) {
	var out bytes.Buffer
	console{out: &out}.offerBridges(nil)
	if out.Len() != 0 {
		t.Errorf("said: %q", out.String())
	}
}
