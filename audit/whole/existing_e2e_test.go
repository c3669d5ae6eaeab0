//go:build e2e && linux

// A tor that runs already, as a machine has it: it wants its cookie, which no sealed engine can
// read.

package whole

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightjar/audit/privnet/stage"
	"nightjar/cmd/control/api"
)

// A system is a tor of the machine's.
type system struct{ control, socks, cookie string }

// startSystem starts one as Debian does: controlled by a unix socket, with SOCKS on a TCP port.
func startSystem(t *testing.T) system {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj-system")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := system{"unix:" + filepath.Join(dir, "control"), l.Addr().String(),
		filepath.Join(dir, "cookie")}
	l.Close()
	torrc := filepath.Join(dir, "torrc")
	text := strings.Join(append(set.Tor.Torrc(), "DataDirectory "+filepath.Join(dir, "data"),
		"SocksPort "+s.socks, "ControlSocket "+s.control[len("unix:"):], "CookieAuthentication 1",
		"CookieAuthFile "+s.cookie), "\n")
	if err := os.WriteFile(torrc, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("tor", "--defaults-torrc", "/dev/null", "-f", torrc, "--quiet")
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (apt-get install tor)", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
	})
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		if _, err := os.Stat(s.cookie); err == nil {
			tick.Stop()
			return s
		}
	}
}

// upBy starts an engine that uses a tor of the machine's.
func upBy(t *testing.T, p *stage.Party, s system) error {
	t.Helper()
	err := p.Start(context.Background(), "up", "--no-phone", "--tor-control", s.control,
		"--tor-socks", s.socks)
	if err == nil {
		err = p.Reachable(t.Context())
	}
	return err
}

// overhear lists what the tor is asked for by SOCKS: of each stream that came through, the user's
// name that it was asked for by, and its circuit.
func (s system) overhear(t *testing.T) (streams func() map[string][]string) {
	t.Helper()
	cookie, err := os.ReadFile(s.cookie)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", s.control[len("unix:"):])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "AUTHENTICATE %x\r\nSETEVENTS STREAM\r\n", cookie)
	return func() map[string][]string {
		fmt.Fprintf(c, "QUIT\r\n")
		all, user := map[string][]string{}, map[string]string{}
		for lines := bufio.NewScanner(c); lines.Scan(); {
			f := strings.Fields(lines.Text()) // 650 STREAM id status circuit target ...
			if len(f) < 6 || f[1] != "STREAM" || !strings.Contains(f[5], ".onion") {
				continue // or tor's own, to directories
			}
			for _, word := range f {
				if u, ok := strings.CutPrefix(word, "SOCKS_USERNAME="); ok {
					user[f[2]] = u
				}
			}
			if f[3] == "SUCCEEDED" {
				all[user[f[2]]] = append(all[user[f[2]]], f[4])
			}
		}
		return all
	}
}

// checkApart fails if streams that were asked for by one name, or came by one circuit, are several:
// each operation on a slot, and each tunnel, has both to itself.
func checkApart(t *testing.T, streams map[string][]string) {
	t.Helper()
	circuits := map[string]bool{}
	for user, by := range streams {
		if user == "" || len(by) > 1 || circuits[by[0]] {
			t.Errorf("%q: circuits %q, shared: %v", user, by, circuits[by[0]])
		}
		circuits[by[0]] = true
	}
	if len(circuits) < 3 {
		t.Errorf("%d streams were overheard: this test proves nothing", len(circuits))
	}
	t.Logf("%d streams, each by a circuit of its own", len(circuits))
}

func TestSealedEngineWritesByATorThatWantsItsCookie(t *testing.T) {
	s := startSystem(t)
	p, err := set.Party(t.Context(), "by-system")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	hidden := s.cookie + ".hidden"
	if err := os.Rename(s.cookie, hidden); err != nil {
		t.Fatal(err)
	}
	_ = upBy(t, p, s)
	if said := p.Log(3); !strings.Contains(said, "its cookie cannot be read") ||
		!strings.Contains(said, "hint: add this user to the tor's group") {
		t.Errorf("without a cookie it said: %s", said)
	}
	if err := os.Rename(hidden, s.cookie); err != nil {
		t.Fatal(err)
	}
	streams := s.overhear(t)
	if err := upBy(t, p, s); err != nil {
		t.Fatal(err)
	}
	var status api.Status
	if err := p.Run(t.Context(), &status, "status"); err != nil || !status.Sealed {
		t.Errorf("sealed %v, %v", status.Sealed, err)
	}
	if !strings.Contains(strings.Join(status.Warnings, "\n"), "the tor is not ours") {
		t.Errorf("status warns of %q", status.Warnings)
	}
	friend := party(t, "by-own")
	run(t, friend, "gateway", "add", set.gateway)
	if err := stage.Befriend(t.Context(), friend, p); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[*stage.Party]*stage.Party{p: friend, friend: p} {
		run(t, from, "send", to.Name, "by another's tor")
		if err := to.Wait(t.Context(), "the message", func() (bool, error) {
			return unread(t, to) == 1, nil
		}); err != nil {
			t.Error(err)
		}
	}
	checkApart(t, streams())
	cookie, err := os.ReadFile(s.cookie)
	if err != nil {
		t.Fatal(err)
	}
	proof := map[string][]byte{"cookie": cookie, "its text": []byte(hex.EncodeToString(cookie))}
	if found := scan(t, []string{strconv.Itoa(p.Engine())}, proof); len(found) > 0 {
		t.Errorf("the engine has %q", found)
	}
	held := map[string][]byte{"its name": []byte("by-own")}
	if found := scan(t, []string{strconv.Itoa(p.Engine())}, held); len(found) == 0 {
		t.Error("the scan of the engine is blind: this test proves nothing")
	}
}
