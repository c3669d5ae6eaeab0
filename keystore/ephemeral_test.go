// Identities in memory: they do all that others do, and leave nothing.

package keystore

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// mustEphemeral makes an identity in memory with the cheap cost.
func mustEphemeral(t testing.TB) *Identity {
	t.Helper()
	master, err := newMaster(drawn)
	if err != nil {
		t.Fatal(err)
	}
	defer master.destroy()
	id, err := cheap().ephemeral(newcomer{master: master})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(id.Lock)
	return id
}

func TestAnIdentityInMemoryLivesLikeOthers(t *testing.T) {
	t.Chdir(t.TempDir())
	id, err := Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	if s := id.State(); s == nil || len(s) != 0 {
		t.Errorf("a new identity has the state %q", s)
	}
	state := bytes.Repeat([]byte{7}, StateLimit)
	if err := id.Save(state); err != nil || !bytes.Equal(id.State(), state) {
		t.Error("the largest state does not come back", err)
	}
	if err := id.Save(append(state, 1)); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if err := id.Save([]byte("short")); err != nil || string(id.State()) != "short" {
		t.Error("a shorter state does not replace a longer one", err)
	}
	if bytes.Contains(id.sealed, []byte("short")) {
		t.Error("the state stands in memory as it is")
	}
	if err := id.ChangePassword(password(t, "x")); !errors.Is(err, ErrNoVault) {
		t.Error(err)
	}
	if _, err := id.Sign(nil); err != nil {
		t.Error(err)
	}
	id.Lock()
	if _, err := id.Sign(nil); !errors.Is(err, ErrLocked) || id.State() != nil {
		t.Error("a locked identity signs", err)
	}
	if err := id.Save(nil); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
	if left, err := os.ReadDir("."); err != nil || len(left) != 0 {
		t.Errorf("%v %v was written", left, err)
	}
}

func TestABurnedIdentityInMemoryIsGone(t *testing.T) {
	id := mustEphemeral(t)
	if err := id.Save([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := id.Burn(); err != nil {
		t.Fatal(err)
	}
	if _, err := id.Sign(nil); !errors.Is(err, ErrLocked) || id.State() != nil {
		t.Error("it is still there", err)
	}
	if err := id.Burn(); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
}

func TestNoTwoIdentitiesInMemoryAreAlike(t *testing.T) {
	a, b := mustEphemeral(t), mustEphemeral(t)
	if a.PublicKey() == b.PublicKey() || bytes.Equal(keysOf(a.keys).slot, keysOf(b.keys).slot) {
		t.Error("two new identities share a key")
	}
}

// An identity that began in memory can be taken into a vault, with all it has; and one of a
// vault can be used from its export where nothing may be written.
func TestFromMemoryIntoAVaultAndBack(t *testing.T) {
	id := mustEphemeral(t)
	if err := id.Save([]byte("grown")); err != nil {
		t.Fatal(err)
	}
	v := cheapVault(t)
	kept, err := v.importIdentity(mustExport(t, id, "x"), password(t, "x"), password(t, "pw"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Lock()
	sealed := mustExport(t, mustOpen(t, v, "pw"), "y")
	before := mustRead(t, v)
	back, err := cheap().importEphemeral(sealed, password(t, "y"))
	if err != nil {
		t.Fatal(err)
	}
	defer back.Lock()
	if back.PublicKey() != id.PublicKey() || string(back.State()) != "grown" {
		t.Error("another identity came back")
	}
	if err := back.Save([]byte("abroad")); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, mustRead(t, v)) || string(mustOpen(t, v, "pw").State()) != "grown" {
		t.Error("what was saved in memory reached the vault")
	}
	phrase, err := back.Phrase()
	if err != nil {
		t.Fatal(err)
	}
	defer phrase.Destroy()
	if CheckPhrase(phrase) != nil {
		t.Error("no phrase of an identity in memory")
	}
}
