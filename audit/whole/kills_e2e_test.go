//go:build e2e

// Either of the two processes of an engine is killed at any moment: both end, tor ends, and what
// was said to be done is done.

package whole

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightjar/audit/privnet/stage"
	"nightjar/node/card"
)

// kills is how often each of the two processes is killed.
const kills = 5

func TestKilledAtAnyMomentNothingIsLostAndNothingIsLeft(t *testing.T) {
	p, err := set.Party(t.Context(), "killed")
	if err != nil {
		t.Fatal(err)
	}
	var stored []string
	for round := range 2 * kills {
		up(t, p)
		warden, engine := p.Pid(), p.Engine()
		victim := engine
		if round%2 == 1 {
			victim = warden
		}
		family := append(descendants(warden), warden)
		if engine == 0 || engine == warden || len(family) < 3 {
			t.Fatalf("the engine is %d, its family %d processes", engine, len(family))
		}
		late := time.AfterFunc(rand.N(1500*time.Millisecond), func() {
			_ = syscall.Kill(victim, syscall.SIGKILL)
		})
		stored = append(stored, store(p, round)...)
		late.Stop()
		_ = syscall.Kill(victim, syscall.SIGKILL) // if it is quicker than the moment
		<-p.Ended()
		for _, pid := range family {
			gone(t, pid)
		}
	}
	up(t, p)
	defer p.Stop()
	list, err := p.Contacts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	for _, name := range stored {
		if !slices.Contains(names, name) {
			t.Errorf("%s was stored, and is gone", name)
		}
	}
	t.Logf("%d kills, %d things stored", 2*kills, len(stored))
}

// store has the engine remember contacts until it does not answer any more, and returns those that
// it said it has.
func store(p *stage.Party, round int) (names []string) {
	for i := range 40 {
		name := fmt.Sprintf("contact-%d-%d", round, i)
		public, _, err := ed25519.GenerateKey(nil)
		if err != nil {
			return names
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err = p.Run(ctx, nil, "contact", "add", card.Address(public).String(), name, "--no-wait")
		cancel()
		if err != nil {
			return names
		}
		names = append(names, name)
	}
	return names
}

// descendants lists the processes below one.
func descendants(pid int) (all []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		b, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(child); err == nil {
				all = append(append(all, n), descendants(n)...)
			}
		}
	}
	return all
}

// gone fails if a process is still there after ten seconds.
func gone(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); ; <-tick.C {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(b), ") Z ") {
			return
		}
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("process %d lives on: %s", pid, b)
		}
	}
}
