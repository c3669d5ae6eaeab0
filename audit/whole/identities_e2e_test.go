//go:build e2e

// Several identities, and identities that leave nothing behind.

package whole

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightjar/audit/privnet/stage"
	"nightjar/cmd/control/api"
	"nightjar/keystore"
)

// another starts a second identity of p's vault, which ends with the test.
func another(t *testing.T, p *stage.Party, name string) *stage.Party {
	t.Helper()
	p.Stop()
	q, err := set.Another(t.Context(), p, name)
	if err != nil {
		t.Fatal(err)
	}
	up(t, p)
	up(t, q)
	t.Cleanup(q.Stop)
	return q
}

func TestIdentitiesOfOneVaultAreOpenSideBySideAndLockApart(t *testing.T) {
	p := party(t, "by-day")
	q := another(t, p, "by-night")
	var open []api.Identity
	if err := p.Run(t.Context(), &open, "identity", "list"); err != nil || len(open) != 2 {
		t.Fatalf("%d are open, err %v", len(open), err)
	}
	out, err := exec.Command(set.bin, "status", "--home", p.Home).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "say which: --as NAME") {
		t.Errorf("with two open: %v: %s", err, out)
	}
	var byDay, byNight api.Status
	run(t, p, "gateway", "add", set.gateway)
	if err := errors.Join(p.Run(t.Context(), &byDay, "status"),
		q.Run(t.Context(), &byNight, "status")); err != nil {
		t.Fatal(err)
	}
	if byDay.Address == byNight.Address || byDay.Gateways != 1 || byNight.Gateways != 0 {
		t.Error("one identity knows what the other was told")
	}
	run(t, q, "lock")
	<-q.Ended()
	beginsApart(t, q)
	if err := p.Run(t.Context(), &byDay, "status"); err != nil || !byDay.Reachable {
		t.Errorf("the one that stays open: %v", err)
	}
	err = q.Run(t.Context(), nil, "status")
	if err == nil || !strings.Contains(err.Error(), "no identity of that name is open") {
		t.Errorf("the one that was locked: %v", err)
	}
}

// beginsApart starts an identity beside another one as people do, and locks it while it waits.
func beginsApart(t *testing.T, q *stage.Party) {
	t.Helper()
	err := q.Start(t.Context(), append([]string{"up", "--no-phone"}, set.By()...)...)
	if err == nil {
		err = q.Wait(t.Context(), "a word about the wait", func() (bool, error) {
			return strings.Contains(q.Log(9), "another identity is open here: waiting"), nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, q, "lock")
	<-q.Ended()
	if said := q.Log(3); strings.Contains(said, "tor  ") {
		t.Errorf("its tor began all the same: %s", said)
	}
}

// nightjars lists the processes of the program that run now.
func nightjars(t *testing.T) (pids []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if exe, err := os.Readlink(l); err == nil && exe == set.bin {
			pids = append(pids, filepath.Base(filepath.Dir(l)))
		}
	}
	return pids
}

// scan counts which of some secrets lie in the memory of processes.
func scan(t *testing.T, pids []string, secrets map[string][]byte) (found []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, pid := range pids {
		maps, err := os.ReadFile(filepath.Join("/proc", pid, "maps"))
		if err != nil {
			continue // it has ended
		}
		mem, err := os.Open(filepath.Join("/proc", pid, "mem"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(maps)) {
			var from, to int64
			var mode string
			if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil ||
				mode[0] != 'r' || strings.Contains(line, "[v") {
				continue
			}
			b := make([]byte, to-from)
			n, _ := mem.ReadAt(b, from)
			for name, s := range secrets {
				if !seen[name] && bytes.Contains(b[:n], s) {
					seen[name] = true
					found = append(found, name)
				}
			}
		}
		_ = mem.Close()
	}
	return found
}

// secretsOf opens a party's identity and lists what nobody else may find: its password, its keys,
// and what it talks about.
func secretsOf(t *testing.T, p *stage.Party, texts map[string]string) map[string][]byte {
	t.Helper()
	pw, err := keystore.NewPassword([]byte(p.Password()))
	if err != nil {
		t.Fatal(err)
	}
	defer pw.Destroy()
	id, err := keystore.Open(filepath.Join(p.Home, "vault"), pw)
	if err != nil {
		t.Fatal(err)
	}
	defer id.Lock()
	secrets := map[string][]byte{"password": []byte(p.Password())}
	for _, label := range []string{"nightjar phone", "nightjar gateway"} {
		key, err := id.Derive(label, nil)
		if err != nil {
			t.Fatal(err)
		}
		secrets["derived: "+label] = key[:16]
	}
	public := id.PublicKey()
	secrets["public key"] = public[:]
	for name, text := range texts {
		secrets[name] = []byte(text)
	}
	return secrets
}

func TestLockedIdentityIsInNoProcessWhileAnotherStaysOpen(t *testing.T) {
	stays, contact := party(t, "stays"), party(t, "friend-of-both")
	locks := another(t, stays, "locks")
	run(t, contact, "gateway", "add", set.gateway)
	if err := stage.Befriend(t.Context(), contact, locks); err != nil {
		t.Fatal(err)
	}
	contact.Stop() // its memory holds the text as well, rightly
	texts := map[string]string{"a message": "the harbour master's second ledger",
		"a contact's name": "friend-of-both"}
	run(t, locks, "send", "friend-of-both", texts["a message"])
	secrets := secretsOf(t, locks, texts)
	if found := scan(t, nightjars(t), secrets); len(found) < 3 {
		t.Fatalf("while it is open only %q is found: the scan is blind", found)
	}
	run(t, locks, "lock")
	<-locks.Ended()
	if found := scan(t, nightjars(t), secrets); len(found) > 0 {
		t.Errorf("after lock there still is: %q", found)
	}
	if err := stays.Run(t.Context(), nil, "status"); err != nil {
		t.Error(err)
	}
}

func TestUnusedEngineLocksItself(t *testing.T) {
	p, err := set.Party(t.Context(), "unused")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context(), "up", "--no-phone", "--torrc", set.Torrc(),
		"--lock-after", "2s"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	select {
	case <-p.Ended():
	case <-time.After(time.Minute):
		t.Fatal("the engine goes on")
	}
	if said := p.Log(3); !strings.Contains(said, "locked: nobody used it for 2s") {
		t.Errorf("it said: %s", said)
	}
}

func TestCodenameOnAnotherMachineReadsTheReply(t *testing.T) {
	words, err := exec.Command(set.bin, "codename", "--print").Output()
	if err != nil {
		t.Fatal(err)
	}
	codename := strings.TrimSpace(string(words))
	desk := party(t, "codename-desk")
	run(t, desk, "gateway", "add", set.gateway)
	first := set.Bare("codename-first", codename, "--codename")
	up(t, first)
	t.Cleanup(first.Stop)
	card, err := desk.Card(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stage.Befriend(t.Context(), desk, first); err != nil {
		t.Fatal(err)
	}
	var asked []api.Contact
	if err := desk.Run(t.Context(), &asked, "contact", "list"); err != nil || len(asked) != 1 {
		t.Fatalf("the desk has %d contacts, err %v", len(asked), err)
	}
	first.Stop()
	run(t, desk, "send", asked[0].Name, "the reply")
	second := set.Bare("codename-second", codename, "--codename")
	up(t, second)
	t.Cleanup(second.Stop)
	run(t, second, "contact", "add", card, "desk", "--no-wait")
	if err := second.Wait(t.Context(), "the reply", func() (bool, error) {
		return unread(t, second) == 1, nil
	}); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(second.Home, "vault*")); err != nil || left != nil {
		t.Errorf("a vault was made, err %v", err)
	}
}
