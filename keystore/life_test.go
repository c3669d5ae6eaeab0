// Saving, changing the password, burning, and what the disk holds meanwhile.

package keystore

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

var errFault = errors.New("fault")

func TestTheLargestStateComesBackAndOneByteMoreIsRefused(t *testing.T) {
	v := cheapVault(t)
	id := mustCreate(t, v, "a")
	if s := id.State(); s == nil || len(s) != 0 {
		t.Errorf("a new identity has the state %q", s)
	}
	state := bytes.Repeat([]byte{0xa5}, StateLimit)
	if err := id.Save(state); err != nil {
		t.Fatal(err)
	}
	if err := id.Save(append(state, 1)); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if !bytes.Equal(id.State(), state) || !bytes.Equal(mustOpen(t, v, "a").State(), state) {
		t.Error("the state changed on the way")
	}
	if err := id.Save([]byte("short")); err != nil || string(mustOpen(t, v, "a").State()) != "short" {
		t.Error("a shorter state does not replace a longer one", err)
	}
}

func TestSavingTouchesOneSlotOnly(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "a")
	id := mustCreate(t, v, "b", "a")
	before := mustRead(t, v)
	if err := id.Save([]byte("x")); err != nil {
		t.Fatal(err)
	}
	after := mustRead(t, v)
	for i := range Slots {
		same := bytes.Equal(slotOf(before, i), slotOf(after, i))
		if same == (i == id.slot) {
			t.Errorf("slot %d: same %v, saved was %d", i, same, id.slot)
		}
	}
	// What two snapshots give away: every byte of the slot changes, whatever was saved.
	if n := equalBytes(slotOf(before, id.slot), slotOf(after, id.slot)); n > slotSize/128 {
		t.Errorf("%d bytes of the saved slot stayed", n)
	}
	if !bytes.Equal(before[:saltSize], after[:saltSize]) {
		t.Error("the salt changed")
	}
}

func equalBytes(a, b []byte) (n int) {
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	v := cheapVault(t)
	ids := []*Identity{mustCreate(t, v, "a")}
	ids = append(ids, mustCreate(t, v, "b", "a"), mustCreate(t, v, "c", "a", "b"))
	mustOpen(t, v, "b").Lock()
	var wg sync.WaitGroup
	for i, id := range []*Identity{ids[0], mustOpen(t, v, "b"), mustOpen(t, v, "c")} {
		wg.Go(func() {
			for n := range 10 {
				if err := id.Save([]byte{byte(i), byte(n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, pw := range []string{"a", "b", "c"} {
		if s := mustOpen(t, v, pw).State(); !bytes.Equal(s, []byte{byte(i), 9}) {
			t.Errorf("%s: %v", pw, s)
		}
	}
}

func TestTwoHandlesOfOneIdentityDoNotOverwriteEachOther(t *testing.T) {
	v := cheapVault(t)
	first := mustCreate(t, v, "a")
	second := mustOpen(t, v, "a")
	if err := second.Save([]byte("newer")); err != nil {
		t.Fatal(err)
	}
	if err := first.Save([]byte("older")); !errors.Is(err, ErrChanged) {
		t.Errorf("the older handle saved: %v", err)
	}
	if s := mustOpen(t, v, "a").State(); string(s) != "newer" {
		t.Errorf("%q", s)
	}
}

func TestADamagedSlotIsHealedByTheNextSave(t *testing.T) {
	v := cheapVault(t)
	id := mustCreate(t, v, "a")
	file := mustRead(t, v)
	slotOf(file, id.slot)[5000] ^= 1
	mustWrite(t, v, file)
	if err := id.Save([]byte("healed")); err != nil {
		t.Fatal(err)
	}
	if s := mustOpen(t, v, "a").State(); string(s) != "healed" {
		t.Errorf("%q", s)
	}
}

func TestSaveIntoAnotherVaultIsRefused(t *testing.T) {
	v, w := cheapVault(t), cheapVault(t)
	id := mustCreate(t, v, "a")
	mustCreate(t, w, "b")
	other := mustRead(t, w)
	mustWrite(t, v, other)
	if err := id.Save(nil); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	if err := id.ChangePassword(password(t, "c")); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	if !bytes.Equal(mustRead(t, v), other) {
		t.Error("another vault was written to")
	}
	_ = os.Remove(v.path)
	if err := id.Save(nil); !errors.Is(err, ErrNoVault) {
		t.Error(err)
	}
}

// At every step of a write a fault leaves a vault that opens, with the old state or the new
// one; nothing beside it; and a handle that can save again.
func TestAFaultAtEveryStepLosesNothing(t *testing.T) {
	for _, step := range []string{"write", "rename", "sync directory"} {
		v := cheapVault(t)
		mustCreate(t, v, "b")
		id := mustCreate(t, v, "a", "b")
		id.vault.fault = func(s string) error {
			if s == step {
				return errFault
			}
			return nil
		}
		if err := id.Save([]byte("new")); !errors.Is(err, errFault) {
			t.Errorf("%s: %v", step, err)
		}
		want := ""
		if step == "sync directory" {
			want = "new"
		}
		if s := mustOpen(t, v, "a").State(); string(s) != want {
			t.Errorf("%s: %q", step, s)
		}
		mustOpen(t, v, "b")
		if _, err := os.Lstat(v.tempPath()); err == nil {
			t.Errorf("%s: a temporary file stayed", step)
		}
		id.vault.fault = nil
		if err := id.Save([]byte("again")); err != nil {
			t.Errorf("after %s: %v", step, err)
		}
	}
}

func TestLeftoversOfACrashAreRemovedAtOpen(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "a")
	if err := os.WriteFile(v.tempPath(), mustRead(t, v)[:100000], 0o600); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, v, "a")
	if _, err := os.Lstat(v.tempPath()); err == nil {
		t.Error("the leftover stayed: a second snapshot beside the vault")
	}
}

// A real limit of the kernel on the size of files stands in for a full disk.
func TestAFullDiskIsToldAndLosesNothing(t *testing.T) {
	v := cheapVault(t)
	id := mustCreate(t, v, "a")
	if err := id.Save([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	small := unix.Rlimit{Cur: 1 << 20, Max: old.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	err := id.Save([]byte("too much"))
	if err2 := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err2 != nil {
		t.Fatal(err2)
	}
	if !errors.Is(err, unix.EFBIG) {
		t.Errorf("got %v", err)
	}
	if s := mustOpen(t, v, "a").State(); string(s) != "kept" {
		t.Errorf("%q", s)
	}
	if _, err := os.Lstat(v.tempPath()); err == nil {
		t.Error("half a vault stayed beside the vault")
	}
}

func TestErrorsDoNotNameThePath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "alice-secret-folder")
	v := at(filepath.Join(dir, "vault"), cheap())
	_, creating := v.createIdentity(password(t, "a"), nil)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(v.lockPath(), 0o700); err != nil {
		t.Fatal(err)
	}
	locking := v.update(nil)
	writing := vault{path: filepath.Join(dir, "no", "vault")}.write(nil)
	for name, err := range map[string]error{"create": creating, "lock": locking, "write": writing} {
		if err == nil || bytes.Contains([]byte(err.Error()), []byte("alice")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASymbolicLinkStaysALink(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "a")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(v.path, link); err != nil {
		t.Fatal(err)
	}
	if err := mustOpen(t, at(link, cheap()), "a").Save([]byte("through")); err != nil {
		t.Fatal(err)
	}
	if s := mustOpen(t, v, "a").State(); string(s) != "through" {
		t.Errorf("%q", s)
	}
}

func TestTheVaultIsForItsOwnerOnly(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "a")
	for _, path := range []string{v.path, v.lockPath()} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
	}
}

func TestAChangedPasswordReplacesTheOld(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "other")
	id := mustCreate(t, v, "old", "other")
	if err := id.Save([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	before := mustRead(t, v)
	if err := id.ChangePassword(password(t, "new")); err != nil {
		t.Fatal(err)
	}
	after := mustRead(t, v)
	for i := range Slots {
		if i != id.slot && !bytes.Equal(slotOf(before, i), slotOf(after, i)) {
			t.Errorf("slot %d changed", i)
		}
	}
	if _, err := v.open(password(t, "old")); !errors.Is(err, ErrPassword) {
		t.Errorf("the old password: %v", err)
	}
	again := mustOpen(t, v, "new")
	if again.PublicKey() != id.PublicKey() || string(again.State()) != "kept" {
		t.Error("another identity came back")
	}
	if err := id.Save([]byte("goes on")); err != nil || string(id.State()) != "goes on" {
		t.Error(err)
	}
	for _, pw := range []string{"new", "other"} {
		if err := id.ChangePassword(password(t, pw)); !errors.Is(err, ErrExists) {
			t.Errorf("%s: %v", pw, err)
		}
	}
}

func TestAFailedChangeKeepsTheOldPassword(t *testing.T) {
	v := cheapVault(t)
	id := mustCreate(t, v, "old")
	id.vault.fault = func(string) error { return errFault }
	if err := id.ChangePassword(password(t, "new")); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	id.vault.fault = nil
	if err := id.Save([]byte("on")); err != nil {
		t.Fatal(err)
	}
	if s := mustOpen(t, v, "old").State(); string(s) != "on" {
		t.Errorf("%q", s)
	}
}

func TestABurnedSlotIsAsIfNeverUsed(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "kept")
	id := mustCreate(t, v, "burned", "kept")
	before := mustRead(t, v)
	if err := id.Burn(); err != nil {
		t.Fatal(err)
	}
	after := mustRead(t, v)
	for i := range Slots {
		if bytes.Equal(slotOf(before, i), slotOf(after, i)) == (i == id.slot) {
			t.Errorf("slot %d: wrong bytes changed", i)
		}
	}
	if n := equalBytes(slotOf(before, id.slot), slotOf(after, id.slot)); n > slotSize/128 {
		t.Errorf("%d bytes of the burned slot stayed", n)
	}
	if _, err := v.open(password(t, "burned")); !errors.Is(err, ErrPassword) {
		t.Error(err)
	}
	if _, err := id.Sign(nil); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
	mustOpen(t, v, "kept")
}

func TestABurnThatFailsLocksNothing(t *testing.T) {
	v := cheapVault(t)
	id := mustCreate(t, v, "a")
	id.vault.fault = func(string) error { return errFault }
	if err := id.Burn(); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	id.vault.fault = nil
	if err := id.Save([]byte("alive")); err != nil {
		t.Error(err)
	}
}
