// How identities come into a vault: in one write, or not at all.

package keystore

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// failAt makes the n-th step of all writes fail, from 0.
func failAt(v vault, n int) vault {
	v.fault = func(string) error {
		n--
		if n == -1 {
			return errFault
		}
		return nil
	}
	return v
}

// createNaive makes a vault, then the identity, then its state, each in a write of its own.
func createNaive(v vault, state []byte, pw *Password) error {
	if err := v.create(); err != nil {
		return err
	}
	id, err := v.createIdentity(pw, nil)
	if err != nil {
		return err
	}
	defer id.Lock()
	return id.Save(state)
}

// halves counts the steps of a write at which a fault leaves a vault that has not the identity
// with its state.
func halves(t *testing.T, make func(v vault, state []byte, pw *Password) error) (n, steps int) {
	for step := 0; ; step++ {
		v := cheapVault(t)
		err := make(failAt(v, step), []byte("first"), password(t, "a"))
		if err != nil && !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		id, opening := v.open(password(t, "a"))
		switch {
		case opening == nil && string(id.State()) != "first":
			n++
		case opening != nil && !errors.Is(opening, ErrNoVault):
			n++
		}
		if opening == nil {
			id.Lock()
		}
		if err == nil {
			return n, step
		}
	}
}

func TestNoFaultLeavesAVaultWithoutItsFirstIdentity(t *testing.T) {
	n, steps := halves(t, func(v vault, state []byte, pw *Password) error {
		id, err := v.createWith(state, pw, nil)
		if err == nil {
			id.Lock()
		}
		return err
	})
	if n != 0 || steps != 3 {
		t.Errorf("%d of %d steps leave a vault that is half made", n, steps)
	}
	if n, steps := halves(t, createNaive); n == 0 {
		t.Errorf("three writes leave nothing half made in %d steps: the test proves nothing", steps)
	}
}

func TestARefusedFirstIdentityMakesNoVault(t *testing.T) {
	v := cheapVault(t)
	_, keeping := v.createIdentity(password(t, "a"), []*Password{password(t, "b")})
	_, large := v.createWith(make([]byte, StateLimit+1), password(t, "a"), nil)
	if !errors.Is(keeping, ErrPassword) || !errors.Is(large, ErrFull) {
		t.Error(keeping, large)
	}
	if _, err := os.Lstat(v.path); err == nil {
		t.Error("a vault was made")
	}
}

// Two programs that make the first identity at the same time: one does, or both do.
func TestAVaultThatAppearsMeanwhileIsNotOverwritten(t *testing.T) {
	v := cheapVault(t)
	salt, first, err := v.saltOrNew()
	if err != nil || first == nil {
		t.Fatal(err)
	}
	mustCreate(t, v, "quick")
	kek, err := v.derive(salt, password(t, "slow"))
	if err != nil {
		t.Fatal(err)
	}
	defer kek.destroy()
	master, err := newMaster(drawn)
	if err != nil {
		t.Fatal(err)
	}
	defer master.destroy()
	_, err = v.place(newcomer{master: master}, salt, first, kek, nil)
	if !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	mustOpen(t, v, "quick")
}

func TestTheFirstStateIsThere(t *testing.T) {
	v := cheapVault(t)
	state := bytes.Repeat([]byte("s"), StateLimit)
	id, err := v.createWith(state, password(t, "a"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer id.Lock()
	again := mustOpen(t, v, "a")
	if !bytes.Equal(again.State(), state) || !bytes.Equal(id.State(), state) || state[0] != 's' {
		t.Error("another state")
	}
}

// Every secret of an identity follows from its master secret, and each in its own way.
func TestAllKeysFollowFromTheMaster(t *testing.T) {
	v := cheapVault(t)
	a, b := mustCreate(t, v, "a"), mustCreate(t, v, "b", "a")
	ka, kb := keysOf(a.keys), keysOf(b.keys)
	seen := map[string]bool{}
	for _, k := range [][]byte{ka.master, ka.seed, ka.root, ka.slot, ka.agree,
		kb.master, kb.seed, kb.root, kb.slot, kb.agree} {
		if seen[string(k)] || bytes.Equal(k, make([]byte, len(k))) {
			t.Error("two secrets are one")
		}
		seen[string(k)] = true
	}
	arena, err := newArena(keysSize)
	if err != nil {
		t.Fatal(err)
	}
	defer arena.destroy()
	keysOf(arena).fill(ka.master, ka.slot)
	if !bytes.Equal(arena.bytes(), a.keys.bytes()) {
		t.Error("the keys do not follow from the master secret")
	}
}
