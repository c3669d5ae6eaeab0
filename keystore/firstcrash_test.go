// A program that is killed while it makes a vault leaves none, or one with the identity in it.

//go:build e2e || bench

package keystore

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// makerVictim makes vaults for ever, each in one write, and says when it has begun.
func makerVictim(args []string) {
	makeVaults(args[0], func(v vault, state []byte, pw *Password) error {
		id, err := v.createWith(state, pw, nil)
		if err == nil {
			id.Lock()
		}
		return err
	})
}

// naiveMakerVictim makes the vault, the identity and its state one after the other.
func naiveMakerVictim(args []string) { makeVaults(args[0], createNaive) }

func makeVaults(dir string, create func(v vault, state []byte, pw *Password) error) {
	pw := must(NewPassword([]byte("a")))
	for i := 0; ; i++ {
		fmt.Println(i)
		check(create(at(filepath.Join(dir, fmt.Sprint(i)), cheap()), []byte("first"), pw))
	}
}

// halfMade kills a maker at a random moment and counts the vaults that have not the identity
// with its state.
func halfMade(t *testing.T, maker string) (half int) {
	t.Helper()
	dir := t.TempDir()
	cmd := victim(maker, dir)
	out := must(cmd.StdoutPipe())
	check(cmd.Start())
	lines := bufio.NewScanner(out)
	lines.Scan()
	time.AfterFunc(rand.N(30*time.Millisecond), func() { _ = cmd.Process.Kill() })
	n := 1
	for lines.Scan() {
		n++
	}
	_ = cmd.Wait()
	for i := range n {
		v := at(filepath.Join(dir, fmt.Sprint(i)), cheap())
		id, err := v.open(password(t, "a"))
		switch {
		case err == nil:
			if string(id.State()) != "first" {
				half++
			}
			id.Lock()
		case !errors.Is(err, ErrNoVault):
			half++
		}
		if _, err := os.Lstat(v.tempPath()); err == nil {
			t.Error("opening left the remains of a killed write")
		}
	}
	check(os.RemoveAll(dir))
	return half
}

func TestKillsLeaveNoVaultWithoutItsFirstIdentity(t *testing.T) {
	for range 100 {
		if n := halfMade(t, "maker"); n != 0 {
			t.Fatalf("%d vaults are half made", n)
		}
	}
	for n := range 300 {
		if halfMade(t, "maker naive") != 0 {
			t.Logf("three writes are found out by kill %d", n+1)
			return
		}
	}
	t.Error("300 kills found no vault half made in three writes: the test proves nothing")
}
