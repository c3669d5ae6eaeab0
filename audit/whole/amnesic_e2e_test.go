//go:build e2e

// An engine that leaves nothing: run on a root file system whose every write is caught.

package whole

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inOverlay is a shell script that runs another one on a file system which looks like this
// machine's, and in which every file that is made or changed ends up under $1/upper. What the
// system keeps in memory is caught in the same way, under $1/shm and $1/run.
const inOverlay = `set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/world" "$1/shm" "$1/run"
chmod 1777 "$1/shm"
mount -t overlay none -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/world"
mount --rbind /proc "$1/world/proc"
mount --rbind /dev "$1/world/dev"
mount --bind "$1/shm" "$1/world/dev/shm"
mount --bind "$1/run" "$1/world/run"
chroot "$1/world" /bin/sh -c "$2"
cd "$1"
find upper shm run ! -type d`

// caught runs a script so, in a mount namespace of its own, and lists the files it leaves.
func caught(t *testing.T, script string) (left []string) {
	t.Helper()
	out, err := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c",
		inOverlay, "sh", t.TempDir(), "{ "+script+"\n} >&2").Output()
	if err != nil {
		said := ""
		if e, ok := err.(*exec.ExitError); ok {
			said = string(e.Stderr)
		}
		t.Fatalf("%v (needs root, and unshare of the Debian package util-linux): %s", err, said)
	}
	return strings.Fields(string(out))
}

// work is a script that starts an engine, waits until it can be reached, adds a gateway and a
// contact, writes to it, and locks. MODE is replaced.
func work(t *testing.T, mode string) string {
	t.Helper()
	desk := party(t, "amnesic-desk-"+strings.Trim(mode, "-"))
	run(t, desk, "gateway", "add", set.gateway)
	card, err := desk.Card(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("BIN", set.bin, "MODE", mode, "TORRC", set.Torrc(), "CARD", card).
		Replace(`export HOME=/srv
BIN up MODE --no-phone --torrc TORRC & engine=$!
until BIN status --json | grep -q '"reachable": true'
do kill -0 $engine || exit 1; sleep 0.2; done
BIN contact add CARD desk
BIN send desk "nothing stays"
BIN lock
wait $engine`)
}

func TestAmnesicEngineLeavesNoFile(t *testing.T) {
	if left := caught(t, work(t, "--amnesic")); len(left) != 0 {
		t.Errorf("%d files are left: %q", len(left), left)
	}
}

func TestOrdinaryEngineLeavesItsVaultWhereTheAmnesicTestLooks(t *testing.T) {
	left := caught(t, "echo password | "+set.bin+" init --home /srv/.nightjar --password-fd 0")
	found := false
	for _, f := range left {
		found = found || filepath.Base(f) == "vault"
	}
	if !found {
		t.Errorf("the vault is not among %q: the test above proves nothing", left)
	}
}
