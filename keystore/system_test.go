// What the system may refuse: locked memory, room on the disk, writing at all.

//go:build e2e || bench

package keystore

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/awnumar/memguard"
	"golang.org/x/sys/unix"
)

// limit leaves a process 64 KiB of locked memory, and takes root's right to ignore that.
func limit() {
	check(unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: 64 << 10, Max: 64 << 10}))
	if os.Geteuid() == 0 {
		check(syscall.Setuid(65534))
	}
}

// limitVictim makes more secrets than can be locked.
func limitVictim([]string) {
	limit()
	var all []*Secret
	locked := 0
	for i := range 100 {
		s := NewSecret([]byte(fmt.Sprint("secret ", i)))
		if s.a.guard != nil {
			locked++
		}
		all = append(all, s)
	}
	for i, s := range all {
		s.Use(func(b []byte) {
			if string(b) != fmt.Sprint("secret ", i) {
				panic("a secret was lost")
			}
		})
		s.Destroy()
	}
	fmt.Println("locked", locked, "of", len(all))
}

// limitNaiveVictim meets the limit inside memguard.
func limitNaiveVictim([]string) {
	limit()
	first := memguard.NewBuffer(32)
	defer func() {
		fmt.Println("panic:", recover() != nil, "first alive:", first.IsAlive())
	}()
	for range 100 {
		memguard.NewBuffer(32)
	}
}

// signNaiveVictim signs with a key in locked memory.
func signNaiveVictim([]string) {
	defer func() { fmt.Println("survived", recover() != nil) }()
	key := memguard.NewBufferFromBytes(ed25519.NewKeyFromSeed(make([]byte, keySize)))
	ed25519.Sign(key.Bytes(), nil)
}

// Why keys are copied onto the heap to sign: the standard library ends the process, past every
// recover, when it is given a key in locked memory. If this fails the copy may go.
func TestSigningFromLockedMemoryEndsTheProcess(t *testing.T) {
	cmd := victim("sign naive")
	cmd.Stderr = nil
	if out, err := cmd.Output(); err == nil || strings.Contains(string(out), "survived") {
		t.Errorf("%v: %s", err, out)
	}
}

// hardenVictim closes itself as an ordinary user and looks whether it is closed.
func hardenVictim([]string) {
	if os.Geteuid() == 0 {
		check(syscall.Setuid(65534))
	}
	warnings := Harden()
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	check(err)
	var core unix.Rlimit
	check(unix.Getrlimit(unix.RLIMIT_CORE, &core))
	_, err = os.Open("/proc/self/mem")
	fmt.Println("dumpable", dumpable, "core", core.Cur, core.Max, "memory closed:", err != nil)
	fmt.Println("warnings", len(warnings), strings.Join(warnings, "; "))
}

func said(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestTheLimitOfLockedMemoryHarmsNoSecret(t *testing.T) {
	out := said(t, victim("limit"))
	var locked, all int
	if _, err := fmt.Sscanf(out, "locked %d of %d", &locked, &all); err != nil {
		t.Fatal(out)
	}
	t.Log(out)
	if locked == 0 || locked == all {
		t.Errorf("the limit was not met: %s", out)
	}
	// Without the probe memguard destroys what was there before and panics.
	if out := said(t, victim("limit naive")); out != "panic: true first alive: false\n" {
		t.Errorf("memguard at its limit: %s", out)
	}
}

func TestHardenClosesTheProcess(t *testing.T) {
	out := said(t, victim("harden"))
	if !strings.HasPrefix(out, "dumpable 0 core 0 0 memory closed: true\n") {
		t.Error(out)
	}
	t.Log(out)
}

// diskVictim saves until the disk is full, in a mount namespace of its own.
func diskVictim(args []string) {
	dir := args[0]
	check(unix.Mount("none", dir, "tmpfs", 0, "size=10m"))
	v := at(filepath.Join(dir, "vault"), cheap())
	id := must(v.createIdentity(must(NewPassword([]byte("a"))), nil))
	check(id.Save([]byte("kept")))
	check(os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 5<<20), 0o600))
	full := id.Save([]byte("too much"))
	_, temp := os.Lstat(v.tempPath())
	state := string(must(v.open(must(NewPassword([]byte("a"))))).State())
	check(os.Remove(filepath.Join(dir, "filler")))
	again := id.Save([]byte("again"))
	check(unix.Mount("none", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	readOnly := id.Save([]byte("no"))
	last := string(must(v.open(must(NewPassword([]byte("a"))))).State())
	fmt.Println(errors.Is(full, unix.ENOSPC), temp != nil, state, again,
		errors.Is(readOnly, unix.EROFS), last)
	fmt.Println(full)
	fmt.Println(readOnly)
}

func TestFullAndReadOnlyDisksAreToldAndLoseNothing(t *testing.T) {
	cmd := victim("disk", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out := said(t, cmd)
	t.Log(out)
	if !strings.HasPrefix(out, "true true kept <nil> true again\n") {
		t.Error(out)
	}
}
