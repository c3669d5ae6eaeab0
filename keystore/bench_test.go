// The room's figures, one a line: FIGURE name value unit. Run with
//
//	go test -tags bench -run Figures -v ./keystore

//go:build bench

package keystore

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
)

func figure(name string, value any, unit string) {
	fmt.Printf("FIGURE keystore.%s %v %s\n", name, value, unit)
}

func ms(d time.Duration) float64 { return float64(d.Round(10*time.Microsecond)) / 1e6 }

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// middle prints the median of a sample.
func middle(name string, all []time.Duration) {
	slices.Sort(all)
	figure(name, ms(all[len(all)/2]), "ms")
}

// partsOfOpen does what open does, with a watch: the whole, and the derivation in it. The
// derivation alone varies by a tenth from run to run, so what unlocking adds is measured in one.
func partsOfOpen(v vault, pw *Password) (whole, derivation time.Duration) {
	var id *Identity
	whole = timed(func() {
		v.clean()
		f := must(v.openFile())
		defer f.Close()
		salt := make([]byte, saltSize)
		must(f.ReadAt(salt, 0))
		start := time.Now()
		kek := must(v.derive(salt, pw))
		derivation = time.Since(start)
		defer kek.destroy()
		id, _, _ = v.try(f, salt, kek)
	})
	collect()
	id.Lock()
	return whole, derivation
}

func TestFiguresOfTime(t *testing.T) {
	const n = 15
	v := at(filepath.Join(t.TempDir(), "vault"), standard())
	pw := password(t, "figures")
	mustCreate(t, v, "figures").Lock()
	var unlock, kdf, over []time.Duration
	for range n {
		var id *Identity
		unlock = append(unlock, timed(func() { id = must(v.open(pw)) }))
		id.Lock()
		kdf = append(kdf, timed(func() {
			argon2.IDKey([]byte("figures"), make([]byte, saltSize), v.cost.passes, v.cost.memory,
				v.cost.lanes, keySize)
		}))
		forget()
		whole, derivation := partsOfOpen(v, pw)
		over = append(over, whole-derivation)
	}
	middle("unlock_ms", unlock)
	middle("kdf_ms", kdf)
	middle("unlock_over_kdf_ms", over) // at most 8 on a machine that does nothing else
}

func TestFiguresOfSaving(t *testing.T) {
	id := mustCreate(t, cheapVault(t), "figures") // the derivation is no part of saving
	state := random(100000)
	var save []time.Duration
	for range 101 {
		save = append(save, timed(func() { check(id.Save(state)) }))
	}
	middle("save_ms", save) // at most 20 on a machine that does nothing else
	figure("save_p95_ms", ms(save[len(save)*95/100]), "ms")
}

// Of three identities that save, and of three that are only opened, which is the control.
func TestFiguresOfSnapshots(t *testing.T) {
	v, ids := population(t, 3)
	before := mustRead(t, v)
	for i, id := range ids {
		check(id.Save(random(1000 * i)))
	}
	after := mustRead(t, v)
	figure("snapshot_slots_changed", len(changed(t, before, after)), "slots_of_3_saves")
	for _, pw := range []string{"a", "b", "c"} {
		must(v.open(password(t, pw))).Lock()
	}
	figure("snapshot_slots_changed_control", len(changed(t, after, mustRead(t, v))),
		"slots_of_3_openings")
}

func TestFiguresOfMemory(t *testing.T) {
	p := newPlant(t.TempDir())
	figure("secrets_planted", len(p.secrets), "secrets")
	open, locked, _ := look("session", p)
	figure("secrets_while_open", len(open), "secrets")
	figure("secrets_after_lock", len(locked), "secrets")
	if len(locked) != 0 {
		t.Errorf("after lock: %v", locked)
	}
	_, control, _ := look("naive", newPlant(t.TempDir()))
	figure("secrets_after_lock_control", len(control), "secrets")
	if len(control) <= 30 {
		t.Errorf("the control keeps only %v", control)
	}
}
