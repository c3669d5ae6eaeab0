// This file holds what may be said: in errors, in logs, in constants, in tracked files.

package audit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nightjar/audit/rules/house"
	"nightjar/audit/rules/leaks"
)

// knownTexts are texts of specifications that look like a host.
var knownTexts = map[string]string{
	"spec.example.org": "used by the proof of this rule alone",
}

func TestErrorsAndLogsNameNobody(t *testing.T) {
	keeps(t, "texts", leaks.Texts(rooms(t, "")))
}

func TestTellingTextIsCaught(t *testing.T) {
	catches(t, "texts", leaks.Texts(rooms(t, "texts")))
}

func TestOnlyCommandsSpeak(t *testing.T) {
	keeps(t, "prints", leaks.Prints(rooms(t, "")))
}

func TestChatterIsCaught(t *testing.T) {
	catches(t, "prints", leaks.Prints(rooms(t, "prints")))
}

func TestConstantsNameNoHost(t *testing.T) {
	keeps(t, "hosts", leaks.Hosts(rooms(t, ""), knownTexts))
}

func TestHostInAConstantIsCaught(t *testing.T) {
	catches(t, "hosts", leaks.Hosts(rooms(t, "hosts"), knownTexts))
}

func TestTrackedFilesHoldNothingOfAMachine(t *testing.T) {
	root, err := house.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("git", "ls-files", "-z")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v (package git, and a checkout)", err)
	}
	var found []house.Finding
	for name := range strings.SplitSeq(strings.Trim(string(names), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err == nil { // a tracked file may be gone from the tree
			found = append(found, leaks.Tracked(name, content)...)
		}
	}
	keeps(t, "tracked", found)
}

func TestSecretInATrackedFileIsCaught(t *testing.T) {
	for _, line := range []string{
		`dir := "/wor` + `k/main"`,
		`cd /roo` + `t/nightjar`,
		`f := "/tm` + `p/nightjar.sock"`,
		`GOPRO` + `XY=direct`,
		`curl https://prox` + `y.golang.org`,
		`-----BEGIN PRIVATE KE` + `Y-----`,
	} {
		found := leaks.Tracked("scripts/x.sh", []byte("first\n"+line+"\n"))
		if len(found) != 1 || found[0].Line != 2 {
			t.Errorf("%q: found %v", line, found)
		}
	}
	for _, line := range []string{"nightjar/work/main", "a/tmp/b", "t.TempDir()"} {
		if found := leaks.Tracked("a.go", []byte(line)); len(found) > 0 {
			t.Errorf("%q: found %v", line, found)
		}
	}
}
