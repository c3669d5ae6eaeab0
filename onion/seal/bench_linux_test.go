//go:build bench && linux

// What the seal costs: "go test -tags bench -run Figures -v ./onion/seal". Each figure has its
// control, an unsealed start of the same program, in the same run.

package seal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// rounds is how many starts of each kind are measured, in turn.
const rounds = 41

func TestFiguresOfSealing(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "home"), 0o700); err != nil {
		t.Fatal(err)
	}
	took := map[string][]time.Duration{}
	reads := map[string][]time.Duration{}
	for range rounds {
		for _, how := range []string{"naive", "calls", "sealed"} {
			start, read := begin(t, how, dir)
			took[how], reads[how] = append(took[how], start), append(reads[how], read)
		}
	}
	ms := func(how string) float64 { return middle(took[how]).Seconds() * 1000 }
	fmt.Printf("FIGURE onion.start_ms %.3g ms\n", ms("naive"))
	fmt.Printf("FIGURE onion.seal_ms %.3g ms\n", ms("sealed")-ms("naive"))
	fmt.Printf("FIGURE onion.seal_calls_only_ms %.3g ms\n", ms("calls")-ms("naive"))
	fmt.Printf("FIGURE onion.seal_read_ratio %.3g of_unsealed\n",
		middle(reads["sealed"]).Seconds()/middle(reads["naive"]).Seconds())
}

// begin starts a program until it can work, and returns how long that took, and how long a system
// call that reads a byte takes in it.
func begin(t *testing.T, how, dir string) (start, read time.Duration) {
	t.Helper()
	build := func() *exec.Cmd {
		return exec.Command("/proc/self/exe", "engine", how+measured, dir, Network())
	}
	begun := time.Now()
	cmd, out := build(), &strings.Builder{}
	prepare := func(c *exec.Cmd) *exec.Cmd { c.Stdout, c.Stderr = out, os.Stderr; return c }
	var err error
	if how == "sealed" {
		cmd, _, err = Start(func() *exec.Cmd { return prepare(build()) })
	} else {
		err = prepare(cmd).Start()
	}
	if err == nil {
		err = cmd.Wait()
	}
	start = time.Since(begun)
	var inside, per int64
	if _, serr := fmt.Sscan(out.String(), &inside, &per); err != nil || serr != nil {
		t.Fatal(how, err, serr)
	}
	return start - time.Duration(inside), time.Duration(per)
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
