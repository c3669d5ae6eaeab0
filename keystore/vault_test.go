// What opening and creating promise.

package keystore

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// cheap stands in for standard where a test opens many times: 64 KiB in one pass. The tests of
// the real cost are the golden vectors and the ones that go through Create and Open.
func cheap() cost { return cost{passes: 1, memory: 64, lanes: 1} }

func cheapVault(t testing.TB) vault {
	t.Helper()
	return at(filepath.Join(t.TempDir(), "vault"), cheap())
}

func password(t testing.TB, s string) *Password {
	t.Helper()
	p, err := NewPassword([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Destroy)
	return p
}

// create makes a vault without identities.
func (v vault) create() error {
	return v.begin(emptyVault(), func([]byte) error { return nil })
}

func mustCreate(t testing.TB, v vault, pw string, keep ...string) *Identity {
	t.Helper()
	var kept []*Password
	for _, k := range keep {
		kept = append(kept, password(t, k))
	}
	id, err := v.createIdentity(password(t, pw), kept)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(id.Lock)
	return id
}

func mustOpen(t testing.TB, v vault, pw string) *Identity {
	t.Helper()
	id, err := v.open(password(t, pw))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(id.Lock)
	return id
}

func mustRead(t testing.TB, v vault) []byte {
	t.Helper()
	b, err := os.ReadFile(v.path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustWrite(t testing.TB, v vault, b []byte) {
	t.Helper()
	if err := os.WriteFile(v.path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAnIdentityComesBackWithItsPassword(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault")
	pw := password(t, "correct horse")
	id, err := Create(path, pw)
	if err != nil {
		t.Fatal(err)
	}
	if err := id.Save([]byte("state")); err != nil {
		t.Fatal(err)
	}
	sig, err := id.Sign([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	public := id.PublicKey()
	id.Lock()
	again, err := Open(path, pw)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Lock()
	if again.PublicKey() != public || string(again.State()) != "state" {
		t.Error("another identity came back")
	}
	if !ed25519.Verify(public[:], []byte("message"), sig[:]) {
		t.Error("the signature does not verify")
	}
}

func TestWrongPasswordAndEmptyVaultSayTheSame(t *testing.T) {
	used, empty := cheapVault(t), cheapVault(t)
	mustCreate(t, used, "right")
	if err := empty.create(); err != nil {
		t.Fatal(err)
	}
	_, err1 := used.open(password(t, "wrong"))
	_, err2 := empty.open(password(t, "wrong"))
	if !errors.Is(err1, ErrPassword) || err1 != err2 {
		t.Errorf("used vault: %v; empty vault: %v", err1, err2)
	}
}

func TestNoVaultAndNoVaultFileAreTold(t *testing.T) {
	v := cheapVault(t)
	if _, err := v.open(password(t, "x")); !errors.Is(err, ErrNoVault) {
		t.Errorf("missing: %v", err)
	}
	for name, b := range map[string][]byte{
		"empty": {}, "short": make([]byte, fileSize-1), "long": make([]byte, fileSize+1),
	} {
		mustWrite(t, v, b)
		if _, err := v.open(password(t, "x")); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := v.createIdentity(password(t, "x"), nil); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: create: %v", name, err)
		}
		if !bytes.Equal(mustRead(t, v), b) {
			t.Errorf("%s: the file was touched", name)
		}
	}
	v.path = t.TempDir()
	if _, err := v.open(password(t, "x")); !errors.Is(err, ErrDamaged) {
		t.Errorf("directory: %v", err)
	}
}

func TestOnePasswordOpensOneIdentity(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "a")
	before := mustRead(t, v)
	if _, err := v.createIdentity(password(t, "a"), nil); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if !bytes.Equal(before, mustRead(t, v)) {
		t.Error("a refused identity changed the vault")
	}
}

func TestKeptIdentitiesAreNeverOverwritten(t *testing.T) {
	v := cheapVault(t)
	var names []string
	for i := range Slots {
		name := string(rune('a' + i))
		mustCreate(t, v, name, names...)
		names = append(names, name)
	}
	seen := map[int]bool{}
	for _, n := range names {
		seen[mustOpen(t, v, n).slot] = true
	}
	if len(seen) != Slots {
		t.Errorf("%d slots hold %d identities", len(seen), Slots)
	}
	var keep []*Password
	for _, n := range names {
		keep = append(keep, password(t, n))
	}
	if _, err := v.createIdentity(password(t, "one more"), keep); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}

// Without keep the slot is drawn blindly: the price of not knowing what the vault holds.
func TestAnIdentityThatIsNotKeptCanBeOverwritten(t *testing.T) {
	v := cheapVault(t)
	first := mustCreate(t, v, "first")
	for i := range 400 {
		mustCreate(t, v, string(rune(0x4e00+i))).Lock()
		if _, err := v.open(password(t, "first")); errors.Is(err, ErrPassword) {
			if err := first.Save(nil); !errors.Is(err, ErrChanged) {
				t.Errorf("saving into the slot of another identity: %v", err)
			}
			return
		}
	}
	t.Fatal("400 blind draws of 16 slots never hit one: the draw is not random")
}

func TestAMistypedKeepPasswordStopsCreation(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "a")
	before := mustRead(t, v)
	_, err := v.createIdentity(password(t, "b"), []*Password{password(t, "aa")})
	if !errors.Is(err, ErrPassword) || !bytes.Equal(before, mustRead(t, v)) {
		t.Error(err)
	}
}

func TestTheDrawIsUniform(t *testing.T) {
	var n [Slots]int
	for range 16000 {
		n[draw(Slots)]++
	}
	for i, c := range n {
		if c < 800 || c > 1200 { // 1000 expected; this far off once in 10^9
			t.Errorf("slot %d drawn %d times in 16000", i, c)
		}
	}
	for range 1000 {
		if d := draw(7); d < 0 || d > 6 {
			t.Fatal(d)
		}
	}
}

func TestDestroyedPasswordOpensNothing(t *testing.T) {
	v := cheapVault(t)
	mustCreate(t, v, "a")
	p := password(t, "a")
	p.Destroy()
	p.Destroy()
	if _, err := v.open(p); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
	if _, err := v.open(nil); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
}

// One flipped bit in each region: the identity it hits is refused with a clear error, and all
// others open. Only the salt is shared: a flip there closes the vault until it is undone.
func TestAFlippedBitHitsOneIdentity(t *testing.T) {
	v := cheapVault(t)
	a := mustCreate(t, v, "a").slot
	b := mustCreate(t, v, "b", "a").slot
	good := mustRead(t, v)
	flip := func(off int) {
		bad := bytes.Clone(good)
		bad[off] ^= 0x10
		mustWrite(t, v, bad)
	}
	start := saltSize + a*slotSize
	for name, off := range map[string]int{"nonce": 3, "length": 24, "master": 30,
		"state": 100, "padding": 200000, "tag": slotSize - 1} {
		flip(start + off)
		if _, err := v.open(password(t, "a")); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
		mustOpen(t, v, "b").Lock()
	}
	for i := range Slots {
		if i != a && i != b {
			flip(saltSize + i*slotSize + 5)
			mustOpen(t, v, "a").Lock()
			mustOpen(t, v, "b").Lock()
			break
		}
	}
	flip(7)
	if _, err := v.open(password(t, "a")); !errors.Is(err, ErrPassword) {
		t.Errorf("salt: %v", err)
	}
	mustWrite(t, v, good)
	mustOpen(t, v, "a")
}
