//go:build e2e && linux

// A tor that runs already and belongs to somebody else.

package onion_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightjar/onion"
	"nightjar/onion/torproc"
)

// A system is a tor as a machine has it, run by a user of its own.
type system struct{ control, socks string }

// torUser is who a tor of the machine's runs as.
func torUser(t *testing.T) int {
	t.Helper()
	u, err := user.Lookup("debian-tor")
	if err != nil {
		t.Fatalf("%v (apt-get install tor)", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	return uid
}

// startSystem starts one. Its sockets are as the settings say.
func startSystem(t *testing.T, control, socks string, settings ...string) system {
	t.Helper()
	uid := torUser(t)
	dir, err := os.MkdirTemp("", "nj-system")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "data"), filepath.Join(dir, "run")} {
		os.Mkdir(d, 0o700)
		if err := os.Chown(d, uid, uid); err != nil {
			t.Fatal("only root can start a tor of another user: run the e2e tests as root")
		}
	}
	control = strings.ReplaceAll(control, "DIR", filepath.Join(dir, "run"))
	socks = strings.ReplaceAll(socks, "DIR", filepath.Join(dir, "run"))
	lines := append(network.Torrc(), "DataDirectory "+filepath.Join(dir, "data"),
		"SocksPort "+socks, "ControlPort "+control, "CookieAuthentication 1",
		"CookieAuthFile "+filepath.Join(dir, "run", "cookie"))
	torrc := filepath.Join(dir, "torrc")
	text := strings.Join(append(lines, settings...), "\n") + "\n"
	if err := os.WriteFile(torrc, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o755)
	exe := wrapped(t, fmt.Sprintf(
		`exec setpriv --reuid %d --regid %d --clear-groups "$tor" "$@"`, uid, uid))
	cmd := exec.Command(exe, "--defaults-torrc", "/dev/null", "-f", torrc, "--quiet")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
	})
	return system{control, socks}
}

// attach uses a system's tor, which may still be starting.
func attach(t *testing.T, s system, keep bool) (*onion.Tor, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj")
	if err != nil || os.Chmod(dir, 0o711) != nil { // as the system's directory for such things
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if os.Remove(dir) != nil {
			t.Error("files are left")
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		tor, err := onion.StartTor(ctx, onion.TorConfig{Dir: dir, Keep: keep,
			Starter: torproc.Existing(s.control, s.socks)})
		if err == nil {
			t.Cleanup(func() { tor.Close() })
		}
		starting := errors.Is(err, torproc.ErrAway) || errors.Is(err, torproc.ErrAuth)
		if !starting || ctx.Err() != nil {
			return tor, err
		}
		<-time.After(100 * time.Millisecond)
	}
}

func TestExistingTorServesAndDials(t *testing.T) {
	there := startTor(t, nil)
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	closed := echo(t, there, onion.Service{Clients: [][32]byte{[32]byte(key.PublicKey().Bytes())}})
	for _, s := range []system{
		startSystem(t, "unix:DIR/control", "unix:DIR/socks"),
		startSystem(t, "127.0.0.1:9051", "127.0.0.1:9050"),
	} {
		tor, err := attach(t, s, false)
		if err != nil {
			t.Fatal(err)
		}
		mine := echo(t, tor, onion.Service{})
		c := dial(t, there, onion.Remote{ID: mine.ID(), Port: 7}, "")
		exchange(t, c)
		c.Close()
		c = dial(t, tor, onion.Remote{ID: closed.ID(), Port: 7, Auth: [32]byte(key.Bytes()),
			HasAuth: true}, "")
		exchange(t, c)
		c.Close()
		if keys := tor.ClientKeys(); keys != 1 {
			t.Errorf("%d client keys: this test proves nothing", keys)
		}
		if len(tor.Limits()) == 0 || len(tor.Exposes()) <= len(there.Exposes()) {
			t.Error("nobody is told what another's tor means")
		}
		if len(there.Limits()) != 0 {
			t.Errorf("limits of our own tor: %v", there.Limits())
		}
		if err := tor.Close(); err != nil {
			t.Error(err)
		}
		// What it was given, it has forgotten; and it runs on.
		tor, err = attach(t, s, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"onions/current", "onions/detached"} {
			if left, _ := tor.Info(key); left != "" {
				t.Errorf("%s: %d bytes are left", key, len(left))
			}
		}
		if keys := tor.ClientKeys(); keys != 0 {
			t.Errorf("%d client keys are left", keys)
		}
		tor.Close()
	}
}

func TestExistingTorThatShowsItsUserIsRefused(t *testing.T) {
	single := startSystem(t, "unix:DIR/control", "0", "HiddenServiceSingleHopMode 1",
		"HiddenServiceNonAnonymousMode 1")
	single.socks = "unix:/nonexistent"
	if _, err := attach(t, single, false); !errors.Is(err, onion.ErrTorUnsafe) {
		t.Errorf("single hops: %v", err)
	}
	one := startSystem(t, "unix:DIR/control", "unix:DIR/socks")
	other := startSystem(t, "unix:DIR/control", "unix:DIR/socks")
	_, err := attach(t, system{one.control, other.socks}, false)
	if !errors.Is(err, onion.ErrTorUnsafe) {
		t.Errorf("control of one tor and SOCKS of another: %v", err)
	}
	if _, err := attach(t, one, false); err != nil {
		t.Errorf("a tor of good manners: %v: this test proves nothing", err)
	}
	for _, bad := range []system{{"192.0.2.1:9051", one.socks}, {one.control, "192.0.2.1:9050"},
		{"unix:relative", one.socks}, {"relay.example:9051", one.socks}} {
		if _, err := attach(t, bad, false); !errors.Is(err, onion.ErrTorOption) {
			t.Errorf("a tor on another machine: %v", err)
		}
	}
}

func TestExistingTorThatIsAwayIsSaid(t *testing.T) {
	_, err := onion.StartTor(t.Context(), onion.TorConfig{Dir: t.TempDir(),
		Starter: torproc.Existing("unix:/nonexistent/control", "unix:/nonexistent/socks")})
	if !errors.Is(err, torproc.ErrAway) {
		t.Errorf("error %v", err)
	}
}
