// What can be wrong with a vault and what lies beside it: each is told in clear words, harms
// nothing more than it must, and stops no other identity.

package keystore

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fullVault is a vault with an identity in each slot; the i-th has the password letter(i).
func fullVault(t *testing.T) (vault, []byte) {
	v := cheapVault(t)
	file := emptyVault()
	for i := range Slots {
		kek := make([]byte, keySize)
		v.cost.kek(kek, []byte(letter(i)), file[:saltSize])
		master := newArenaOf(t, bytes.Repeat([]byte{byte(i)}, masterSize))
		newcomer{master: master}.seal(slotOf(file, i), kek, i)
	}
	mustWrite(t, v, file)
	return v, file
}

func letter(i int) string { return string(rune('a' + i)) }

func newArenaOf(t *testing.T, b []byte) *arena {
	t.Helper()
	a, err := newArena(len(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.destroy)
	copy(a.bytes(), b)
	return a
}

// opens reports whether a password opens its identity; every other answer but ErrPassword fails.
func opens(t *testing.T, v vault, pw string) bool {
	t.Helper()
	id, err := v.open(password(t, pw))
	if err == nil {
		id.keys.destroy() // Lock would collect, a hundred times over
		return true
	}
	if !errors.Is(err, ErrPassword) {
		t.Errorf("%v", err)
	}
	return false
}

func TestABitFlippedInAnyRegionOfAnySlotClosesThatOneAlone(t *testing.T) {
	v, good := fullVault(t)
	for i := range Slots {
		for region, at := range map[string]int{"nonce": nonceSize - 1,
			"ciphertext": slotSize / 2, "tag": slotSize - 1} {
			bad := bytes.Clone(good)
			slotOf(bad, i)[at] ^= 1
			mustWrite(t, v, bad)
			if opens(t, v, letter(i)) {
				t.Errorf("slot %d opens with a bit of its %s flipped", i, region)
			}
			if next := (i + 1) % Slots; !opens(t, v, letter(next)) {
				t.Errorf("slot %d is closed by the %s of slot %d", next, region, i)
			}
		}
	}
}

func TestABitFlippedInTheSaltClosesAllUntilItIsTurnedBack(t *testing.T) {
	v, good := fullVault(t)
	for _, at := range []int{0, saltSize / 2, saltSize - 1} {
		bad := bytes.Clone(good)
		bad[at] ^= 0x80
		mustWrite(t, v, bad)
		for i := range Slots {
			if opens(t, v, letter(i)) {
				t.Errorf("slot %d opens under another salt", i)
			}
		}
	}
	mustWrite(t, v, good)
	if !opens(t, v, letter(3)) {
		t.Error("nothing opens with the salt as it was")
	}
}

func TestATruncatedVaultIsToldAndNeverWritten(t *testing.T) {
	v, good := fullVault(t)
	id := mustOpen(t, v, "a")
	for _, size := range []int{0, 1, saltSize, saltSize + slotSize, fileSize - 1} {
		mustWrite(t, v, good[:size])
		if _, err := v.open(password(t, "b")); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes: open: %v", size, err)
		}
		if err := id.Save([]byte("x")); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes: save: %v", size, err)
		}
		if !bytes.Equal(mustRead(t, v), good[:size]) {
			t.Errorf("%d bytes: what was left of the vault was touched", size)
		}
	}
	mustWrite(t, v, good)
	if err := id.Save([]byte("x")); err != nil {
		t.Errorf("the whole vault is back: %v", err)
	}
}

func TestALostLockFileIsMadeAnew(t *testing.T) {
	v, _ := fullVault(t)
	id := mustOpen(t, v, "a")
	_ = os.Remove(v.lockPath())
	if err := id.Save([]byte("x")); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(v.lockPath()); err != nil || info.Size() != 0 {
		t.Errorf("the lock file: %v", err)
	}
}

// A directory in the place of the lock file stands for every lock that cannot be had: one that
// belongs to somebody else, on a medium that is read-only, of a strange kind.
func TestALockThatCannotBeHadStopsWritingAndNotOpening(t *testing.T) {
	v, good := fullVault(t)
	id := mustOpen(t, v, "a")
	_ = os.Remove(v.lockPath())
	if err := os.Mkdir(v.lockPath(), 0o700); err != nil {
		t.Fatal(err)
	}
	err := id.Save([]byte("x"))
	if !errors.Is(err, unix.EISDIR) || !strings.HasPrefix(err.Error(), "lock vault: ") {
		t.Errorf("save: %v", err)
	}
	if !opens(t, v, "b") || !bytes.Equal(mustRead(t, v), good) {
		t.Error("opening needs a lock")
	}
}

func TestLeftoversThatCannotBeRemovedStopWritingAndNotOpening(t *testing.T) {
	v, good := fullVault(t)
	id := mustOpen(t, v, "a")
	if err := os.MkdirAll(filepath.Join(v.tempPath(), "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if !opens(t, v, "b") {
		t.Error("a leftover stops opening")
	}
	if err := id.Save([]byte("x")); !errors.Is(err, unix.ENOTEMPTY) {
		t.Errorf("save: %v", err)
	}
	if !bytes.Equal(mustRead(t, v), good) {
		t.Error("a write that failed changed the vault")
	}
}

func TestLeftoversThatAreLinksHarmNothingElse(t *testing.T) {
	v, _ := fullVault(t)
	id := mustOpen(t, v, "a")
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(precious, v.tempPath()); err != nil {
		t.Fatal(err)
	}
	if err := id.Save([]byte("x")); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(precious); string(b) != "mine" {
		t.Error("a write went through a link")
	}
}

func TestWhatIsNoFileIsNoVault(t *testing.T) {
	dir := t.TempDir()
	pipe, loop := filepath.Join(dir, "pipe"), filepath.Join(dir, "loop")
	link, broken := filepath.Join(dir, "link"), filepath.Join(dir, "broken")
	if err := errors.Join(unix.Mkfifo(pipe, 0o600), os.Symlink(loop, loop),
		os.Symlink(dir, link), os.Symlink(filepath.Join(dir, "none"), broken)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{dir: ErrDamaged, link: ErrDamaged, pipe: ErrDamaged,
		"/dev/zero": ErrDamaged, loop: unix.ELOOP, broken: ErrNoVault} {
		if _, err := at(path, cheap()).open(password(t, "a")); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", filepath.Base(path), err, want)
		}
	}
}
