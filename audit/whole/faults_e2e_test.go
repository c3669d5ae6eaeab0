//go:build e2e

// What goes wrong, and what must not be lost.

package whole

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightjar/audit/privnet/stage"
	"nightjar/cmd/control/api"
)

func TestMessageSurvivesKillOfBothEngines(t *testing.T) {
	desk, source := pair(t, "kill-desk", "kill-source")
	desk.Kill()
	run(t, source, "send", "kill-desk", "written while you were away")
	source.Kill()
	up(t, source)
	up(t, desk)
	if err := desk.Wait(t.Context(), "the message", func() (bool, error) {
		return unread(t, desk) == 1, nil
	}); err != nil {
		t.Fatal(err)
	}
	// The source may be killed between delivery and acknowledgement: it comes once all the same.
	if err := source.Wait(t.Context(), "the acknowledgement", func() (bool, error) {
		var s api.Status
		err := source.Run(t.Context(), &s, "status")
		return s.Pending == 0, err
	}); err != nil {
		t.Fatal(err)
	}
	var got []api.Message
	if err := desk.Run(t.Context(), &got, "read", "kill-source"); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Text != "written while you were away" {
		t.Errorf("desk has %d messages", len(got))
	}
}

func unread(t *testing.T, p *stage.Party) int {
	t.Helper()
	var s api.Status
	if err := p.Run(t.Context(), &s, "status"); err != nil {
		t.Fatal(err)
	}
	return s.Unread
}

func TestSecondEngineOnOneIdentityIsRefused(t *testing.T) {
	p := party(t, "second")
	cmd, fed := p.Command(t.Context(), "the second's own password", "up", "--no-phone")
	defer fed()
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "this identity is open in another engine") ||
		!strings.Contains(string(out), "hint: ") {
		t.Errorf("%v: %s", err, out)
	}
	if err := p.Run(t.Context(), nil, "status"); err != nil {
		t.Errorf("the first engine suffered: %v", err)
	}
}

func TestDeadTorComesBackAndNothingIsLost(t *testing.T) {
	p := party(t, "tor-dies")
	run(t, p, "gateway", "add", set.gateway)
	killTor(t, p)
	begun := time.Now()
	if err := p.Wait(t.Context(), "a word about it", func() (bool, error) {
		return strings.Contains(p.Log(50), "tor has ended and is started again"), nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(t.Context(), "tor to run again", func() (bool, error) {
		return strings.Contains(p.Log(50), "tor runs again"), nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("tor runs again after %v", time.Since(begun).Round(time.Millisecond))
	var lines []string
	if err := p.Run(t.Context(), &lines, "gateway", "list"); err != nil || len(lines) != 1 {
		t.Errorf("%d gateways are remembered, err %v", len(lines), err)
	}
	killTor(t, p) // the new one
}

// killTor kills the tor process that p's engine started.
func killTor(t *testing.T, p *stage.Party) {
	t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(p.Pid()), "-x", "tor").Output()
	if err != nil {
		t.Fatalf("the engine has no tor: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestKilledEngineTakesItsTorWithIt(t *testing.T) {
	p := party(t, "orphan")
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(p.Pid()), "-x", "tor").Output()
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	gone := filepath.Join("/proc", strings.TrimSpace(string(out)))
	deadline := time.After(10 * time.Second)
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		if _, err := os.Stat(gone); err != nil {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("tor lives on")
		}
	}
}

func TestLockEndsTheEngine(t *testing.T) {
	p := party(t, "lock")
	run(t, p, "lock")
	select {
	case <-p.Ended():
	case <-time.After(20 * time.Second):
		t.Fatal("the engine goes on")
	}
	if err := p.Run(t.Context(), nil, "status"); err == nil ||
		!strings.Contains(err.Error(), "nightjar up") {
		t.Errorf("after lock: %v", err)
	}
}

func TestGoneGatewayIsToldAndAnotherTakesItsPlace(t *testing.T) {
	lender, err := set.Party(t.Context(), "gone-gateway")
	if err != nil {
		t.Fatal(err)
	}
	line, err := set.Lend(context.Background(), lender, "127.0.0.79")
	if err != nil {
		t.Fatal(err)
	}
	desk, source := party(t, "gone-desk"), party(t, "gone-source")
	run(t, desk, "gateway", "add", line)
	card, err := desk.Card(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lender.Kill()
	run(t, source, "contact", "add", card, "desk", "--no-wait")
	if err := source.Wait(t.Context(), "a word about it", func() (bool, error) {
		return strings.Contains(source.Log(50), "desk: storing failed: "), nil
	}); err != nil {
		t.Fatal(err)
	}
	run(t, source, "gateway", "add", set.gateway)
	run(t, desk, "gateway", "add", set.gateway)
	if _, err := desk.Asking(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUnknownContactOwnAndForeignCardsAreRefusedInWords(t *testing.T) {
	p := party(t, "words")
	card, err := p.Card(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ says, args string }{
		{"no such contact; hint: see who is there", "send nobody hello"},
		{"this card is your own; hint: ", "contact add " + card},
		{"not a card, or damaged; hint: ", "contact add nightjar:xyz"},
		{"no such contact; hint: ", "contact accept nobody"},
		{"not the line of a gateway; hint: ", "gateway add nonsense"},
	} {
		err := p.Run(t.Context(), nil, strings.Fields(c.args)...)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("nightjar %s: %v", c.args, err)
		}
	}
}
