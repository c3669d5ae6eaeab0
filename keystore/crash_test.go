// Writers that are killed at any moment lose nothing that was acknowledged.

//go:build e2e

package keystore

import (
	"bufio"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// killed is a writer with the last number it acknowledged.
type killed struct {
	cmd   *exec.Cmd
	out   io.Reader
	acked uint64
}

func startWriter(t *testing.T, name string, args ...string) *killed {
	t.Helper()
	cmd := victim(name, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &killed{cmd: cmd, out: out}
}

// finish waits for the first acknowledgement, kills the writer a random time later, wherever it
// is then, and takes every further acknowledgement that it gave before.
func (k *killed) finish(t *testing.T) {
	lines := bufio.NewReader(k.out)
	first := true
	for {
		s, err := lines.ReadString('\n')
		if err != nil {
			break // what has no line's end was not acknowledged
		}
		n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
		if err != nil {
			t.Errorf("a writer says %q", s)
		}
		k.acked = n
		if first {
			first = false
			wait := rand.N(25 * time.Millisecond)
			time.AfterFunc(wait, func() { _ = k.cmd.Process.Kill() })
		}
	}
	_ = k.cmd.Wait()
	if first {
		t.Error("a writer ended before it saved anything")
	}
}

// The writers use a cheap derivation, else the time would go into a thousand of those; what is
// tested are the writes, which are the real ones.
func TestAThousandKillsLoseNothingAcknowledged(t *testing.T) {
	const rounds = 500 // two kills each
	v := cheapVault(t)
	mustCreate(t, v, "a")
	mustCreate(t, v, "b", "a")
	var saves uint64
	left := 0
	for range rounds {
		a, b := startWriter(t, "writer", v.path, "a"), startWriter(t, "writer", v.path, "b")
		done := make(chan struct{})
		go func() { a.finish(t); close(done) }()
		b.finish(t)
		<-done
		if _, err := os.Lstat(v.tempPath()); err == nil {
			left++
		}
		for pw, acked := range map[string]uint64{"a": a.acked, "b": b.acked} {
			id, err := v.open(password(t, pw))
			if err != nil {
				t.Fatalf("after %d saves: %v", saves, err)
			}
			if n := counter(id.State()); n < acked {
				t.Fatalf("%d was acknowledged, %d is there", acked, n)
			}
			id.Lock()
		}
		if _, err := os.Lstat(v.tempPath()); err == nil {
			t.Fatal("opening left the remains of a killed write")
		}
		saves = a.acked + b.acked
	}
	t.Logf("%d kills, about %d acknowledged saves, %d times in the middle of a write",
		2*rounds, saves, left)
	if left == 0 {
		t.Error("no kill hit a write: the test proves nothing")
	}
}

// Writing over the file, as programs usually do, is found out by the same kills.
func TestKillsBreakAVaultThatIsWrittenInPlace(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "a")
	slot := mustCreate(t, v, "b", "a").slot
	whole := mustRead(t, v)
	for n := range 500 {
		startWriter(t, "in place", v.path, strconv.Itoa(slot)).finish(t)
		if _, err := v.open(password(t, "a")); err != nil {
			t.Logf("broken by kill %d: %v", n+1, err)
			return
		}
		mustWrite(t, v, whole)
	}
	t.Error("500 kills did not break a vault written in place: the test proves nothing")
}
