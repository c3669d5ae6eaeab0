//go:build e2e

// The stage of the tests: one pair of networks and one gateway for all of them.

package whole

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"nightjar/audit/privnet/stage"
)

// set is what the tests share.
var set struct {
	*stage.Stage
	bin     string
	gateway string // its line
}

func TestMain(m *testing.M) { os.Exit(play(m)) }

// play sets the stage, runs the tests and clears up.
func play(m *testing.M) int {
	dir, err := os.MkdirTemp("", "whole")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	set.bin = filepath.Join(dir, "nightjar")
	build := exec.CommandContext(ctx, "go", "build", "-o", set.bin, "nightjar/cmd/nightjar")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	if set.Stage, err = stage.Start(ctx, stage.Options{Bin: set.bin, Dir: dir,
		Exit: true}); err != nil {
		fmt.Fprintln(os.Stderr, "set the stage:", err)
		return 1
	}
	defer set.Stop()
	lender, err := set.Party(ctx, "gateway")
	if err == nil {
		set.gateway, err = set.Lend(context.Background(), lender, "127.0.0.78")
	}
	defer lender.Stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lend:", err)
		return 1
	}
	return m.Run()
}

// party starts somebody's engine, which ends with the test. Its name must be new.
func party(t *testing.T, name string) *stage.Party {
	t.Helper()
	p, err := set.Party(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	up(t, p)
	t.Cleanup(p.Stop)
	return p
}

func up(t *testing.T, p *stage.Party) {
	t.Helper()
	if err := set.Up(context.Background(), p, ""); err != nil {
		t.Fatal(err)
	}
}

// pair starts two people who are in touch: each calls the other by its name.
func pair(t *testing.T, host, guest string) (a, b *stage.Party) {
	t.Helper()
	a, b = party(t, host), party(t, guest)
	run(t, a, "gateway", "add", set.gateway)
	if err := stage.Befriend(t.Context(), a, b); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func run(t *testing.T, p *stage.Party, args ...string) {
	t.Helper()
	if err := p.Run(t.Context(), nil, args...); err != nil {
		t.Fatal(err)
	}
}
