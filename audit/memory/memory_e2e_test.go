//go:build e2e

// The claims, and the same session in a program that is built without erasure.

package memory

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"nightjar/keystore"
	"nightjar/node/talk"
	"nightjar/tunnel/record"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		child(os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

// stage is one session and those who take part in it.
type stage struct {
	locked, open *person
	vault        string
	contacts     []*mirror
	files        []*os.File // the child's ends of the carriers
}

func newStage(dir string) *stage {
	s := &stage{locked: newPerson("locked"), open: newPerson("open"),
		vault: filepath.Join(dir, "vault")}
	s.contacts = []*mirror{s.locked.meet("caller", true, 2), s.locked.meet("callee", false, 2),
		s.open.meet("other", true, 1)}
	s.locked.invited("locked")
	s.locked.settle("locked", s.vault)
	keep := must(keystore.NewPassword(slices.Clone(s.locked.password)))
	s.open.settle("open", s.vault, keep)
	keep.Destroy()
	for _, m := range s.contacts {
		ends := must(syscall.Socketpair(syscall.AF_UNIX,
			syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0))
		near, far := os.NewFile(uintptr(ends[0]), "near"), os.NewFile(uintptr(ends[1]), "far")
		m.conn = must(net.FileConn(near))
		check(near.Close())
		s.files = append(s.files, far)
	}
	return s
}

// child starts the session in a program.
func (s *stage) child(program string) (*exec.Cmd, io.Writer, *bufio.Reader) {
	root := sha256.Sum256(s.contacts[1].root[:])
	cmd := exec.Command(program, "child", s.vault, hex.EncodeToString(root[:]),
		hex.EncodeToString(s.locked.sealed))
	cmd.Stderr, cmd.ExtraFiles = os.Stderr, s.files
	in, out := must(cmd.StdinPipe()), bufio.NewReader(must(cmd.StdoutPipe()))
	check(cmd.Start())
	for _, f := range s.files {
		check(f.Close())
	}
	must(fmt.Fprintf(in, "%s\n%s\n", s.locked.password, s.open.password))
	return cmd, in, out
}

// texts sends some and waits until the identity has them safe.
func (m *mirror) texts(p *person, n int, acked <-chan talk.ID) {
	for i := range n {
		text := letters(60)
		p.words[fmt.Sprint(m.name, " text ", len(p.words), i)] = []byte(text)
		id := m.message(text)
		for got := range acked {
			if got == id {
				break
			}
		}
		payload := random(100)
		p.words[fmt.Sprint(m.name, " datagram ", len(p.words))] = payload
		m.post(record.Datagram, payload)
	}
}

// play is the contacts' part; it returns when everything has happened that is to happen before
// the lock. The other identity's contact goes on.
func (s *stage) play() {
	caller, callee, other := s.contacts[0], s.contacts[1], s.contacts[2]
	done := make(chan struct{}, 2)
	acks := [3]chan talk.ID{}
	for i := range acks {
		acks[i] = make(chan talk.ID, 16)
	}
	go caller.work(func() {
		caller.texts(s.locked, 3, acks[0])
		time.AfterFunc(61*time.Second, func() { // no sooner than a minute after the last keys
			caller.renew()
			<-caller.renewed
			caller.texts(s.locked, 3, acks[0])
			done <- struct{}{}
		})
	}, acks[0])
	go callee.work(func() { callee.texts(s.locked, 3, acks[1]); done <- struct{}{} }, acks[1])
	go other.work(func() {
		for range time.Tick(500 * time.Millisecond) {
			other.texts(s.open, 1, acks[2])
		}
	}, acks[2])
	limit := time.After(5 * time.Minute)
	for range 2 {
		select {
		case <-done:
		case <-limit:
			panic("the session hangs")
		}
	}
}

// result is what was found, and of how many.
type result struct {
	keys, words             int
	open, locked            map[string]int // of keys
	openWords, lockedWords  map[string]int
	otherOpen, otherIsKnown int
}

// run plays the session and looks.
func run(program, dir string) (r result) {
	s := newStage(dir)
	cmd, in, out := s.child(program)
	expect := func(word string) {
		if line, err := out.ReadString('\n'); line != word+"\n" {
			panic(fmt.Sprintf("the session says %q, %v", line, err))
		}
	}
	expect("open")
	s.play()
	pid := cmd.Process.Pid
	r.keys, r.words = len(s.locked.known), len(s.locked.words)
	r.open, r.openWords = s.locked.known.scan(pid), s.locked.words.scan(pid)
	must(io.WriteString(in, "\n"))
	expect("locked")
	r.locked, r.lockedWords = s.locked.known.scan(pid), s.locked.words.scan(pid)
	r.otherOpen, r.otherIsKnown = len(s.open.known.scan(pid)), len(s.open.known)
	must(io.WriteString(in, "\n"))
	check(cmd.Wait())
	return r
}

func TestALockedIdentityLeavesNothingWhileAnotherGoesOn(t *testing.T) {
	t.Parallel()
	if !keystore.ErasureOn() {
		t.Fatal("this program was built without GOEXPERIMENT=runtimesecret")
	}
	r := run("/proc/self/exe", t.TempDir())
	t.Logf("%d keys: %d while open %v; %d after lock", r.keys, len(r.open), names(r.open),
		len(r.locked))
	t.Logf("%d texts and names: %d while open, %d after lock %v", r.words, len(r.openWords),
		len(r.lockedWords), names(r.lockedWords))
	t.Logf("of the other identity's %d keys %d are found", r.otherIsKnown, r.otherOpen)
	if r.keys < 40 || len(r.locked) != 0 {
		t.Errorf("of %d keys after lock: %v", r.keys, names(r.locked))
	}
	if len(r.lockedWords) != 0 {
		t.Errorf("of %d texts and names after lock: %v", r.words, names(r.lockedWords))
	}
	if r.otherOpen < 5 {
		t.Error("the look finds too little of the identity that is open")
	}
}

// The same session with the same care, in a program that the toolchain built without erasure:
// what we wipe ourselves is not nearly all.
func TestWithoutErasureMostOfALockedIdentityStays(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "control")
	build := exec.Command("go", "test", "-c", "-tags", "e2e", "-o", program, ".")
	build.Env = append(os.Environ(), "GOEXPERIMENT=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	r := run(program, t.TempDir())
	t.Logf("%d keys: %d while open; %d after lock %v", r.keys, len(r.open), len(r.locked),
		names(r.locked))
	t.Logf("%d texts and names: %d after lock", r.words, len(r.lockedWords))
	if n := len(r.locked) + len(r.lockedWords); len(r.locked) < 15 || n <= 30 {
		t.Errorf("only %d of %d keys stay, %d of %d of all", len(r.locked), r.keys, n,
			r.keys+r.words)
	}
}
