// A tor that is missing, old, unsafe or dead is recognized as such, and nothing of it is left.

package torproc

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T, behaviour string, c Config) (*Process, error) {
	t.Helper()
	c.Exe = standIn(t, behaviour)
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p, err := Start(ctx, c)
	if err != nil {
		if left, _ := os.ReadDir(c.Dir); len(left) != 0 {
			t.Errorf("%s: %d files left", behaviour, len(left))
		}
		if strings.ContainsAny(err.Error(), "/") {
			t.Errorf("%s: error text %q", behaviour, err)
		}
		return nil, err
	}
	t.Cleanup(func() { p.Close() })
	return p, nil
}

func TestBadTorIsRefused(t *testing.T) {
	for behaviour, want := range map[string]error{
		"old": ErrOld, "dies": ErrDied, "refuses": ErrOption, "shows": ErrUnsafe,
		"listens": ErrUnsafe, "disobeys": ErrCommand,
	} {
		if _, err := start(t, behaviour, Config{}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", behaviour, err, want)
		}
	}
	if _, err := start(t, "good", Config{}); err != nil {
		t.Errorf("a good tor was refused: %v", err)
	}
}

func TestMissingTorIsSaid(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	os.WriteFile(plain, []byte("not a program"), 0o600)
	for _, exe := range []string{filepath.Join(dir, "none"), dir, plain} {
		_, err := Start(t.Context(), Config{Order: Order{Exe: exe}})
		if !errors.Is(err, ErrMissing) {
			t.Errorf("%v", err)
		}
	}
}

func TestWaitForTheNetworkEndsWithItsContext(t *testing.T) {
	var words []string
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user gave up")
	dir := t.TempDir()
	_, err := Start(ctx, Config{Order: Order{Exe: standIn(t, "stuck"), Dir: dir},
		Progress: func(percent int, reason string, _ error) {
			words = append(words, reason)
			cancel(why)
		}})
	if !errors.Is(err, ErrNotBootstrapped) || !errors.Is(err, why) ||
		!strings.Contains(err.Error(), "conn (NOROUTE)") || strings.Contains(err.Error(), "192") {
		t.Errorf("error %v", err)
	}
	if len(words) != 1 || words[0] != "conn (NOROUTE)" {
		t.Errorf("progress %q", words)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files left", len(left))
	}
}

func TestDeafTorIsGivenUpWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Start(ctx, Config{Order: Order{Exe: standIn(t, "deaf"), Dir: t.TempDir()}})
	if !errors.Is(err, ErrNotBootstrapped) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestOptionsAreCheckedBeforeAnythingStarts(t *testing.T) {
	_, err := start(t, "good", Config{Order: Order{Options: []string{"ControlPort 9051"}}})
	if !errors.Is(err, ErrOption) {
		t.Errorf("error %v", err)
	}
}

func TestStateIsKeptAndTheRestIsWiped(t *testing.T) {
	dir := t.TempDir()
	p, err := start(t, "good", Config{Order: Order{Dir: dir, State: []byte("Guard in=before\nDormant 1\n")}})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := p.State(); string(s) != "Guard in=before\n" || err != nil {
		t.Errorf("state while running %q, %v", s, err)
	}
	if info, err := os.Stat(p.program.Dir()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info.Mode(), err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if s, _ := p.State(); string(s) != "Guard in=test\n" {
		t.Errorf("state after the end %q", s)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files left", len(left))
	}
	if err := p.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestEndOfTorIsKnownAtOnce(t *testing.T) {
	p, err := start(t, "good", Config{})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	p.program.Kill()
	<-p.Done()
	if d := time.Since(begun); d > time.Second {
		t.Errorf("it took %v", d)
	}
	if _, err := p.Info("version"); !errors.Is(err, ErrDied) {
		t.Errorf("asked a dead tor: %v", err)
	}
	if p.Closed() {
		t.Error("a killed tor counts as closed")
	}
}

func TestDirectoriesOfTheDeadAreWiped(t *testing.T) {
	parent := t.TempDir()
	dead, err := makeDirectory(parent)
	if err != nil {
		t.Fatal(err)
	}
	dead.lock.Close() // as when its program is killed
	foreign := filepath.Join(parent, dirPrefix+"foreign")
	os.Mkdir(foreign, 0o700)
	os.Symlink(dead.file("torrc"), filepath.Join(foreign, "lock"))
	used, err := makeDirectory(parent)
	if err != nil {
		t.Fatal(err)
	}
	again, err := makeDirectory(parent)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		dead.path: false, foreign: true, used.path: true, again.path: true,
	} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
}

func TestDirectoryTooDeepForSockets(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("d", 90))
	os.Mkdir(deep, 0o700)
	if _, err := start(t, "good", Config{Order: Order{Dir: deep}}); !errors.Is(err, ErrDirectory) {
		t.Errorf("error %v", err)
	}
}

func TestWipedFilesAreOverwritten(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	os.WriteFile(name, []byte(strings.Repeat("guard", 20000)), 0o600)
	overwrite(name)
	if b, _ := os.ReadFile(name); len(b) != 100000 || strings.Trim(string(b), "\x00") != "" {
		t.Errorf("%d bytes, not all zero", len(b))
	}
}
