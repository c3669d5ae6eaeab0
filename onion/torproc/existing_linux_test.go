// A tor of the system's, spoken with by a process that may not have what lets it in.

package torproc

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// short makes a directory whose name leaves room for that of a socket.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// systemTor starts a tor without a network, and returns where it listens and its cookie's file.
func systemTor(t *testing.T, settings ...string) (s System, cookie string) {
	t.Helper()
	dir := short(t)
	control, socks := filepath.Join(dir, "control"), filepath.Join(dir, "socks")
	cookie = filepath.Join(dir, "cookie")
	tor := exec.Command("tor", append([]string{"--defaults-torrc", "/dev/null", "-f",
		filepath.Join(dir, "none"), "--ignore-missing-torrc", "--quiet", "DisableNetwork", "1",
		"DataDirectory", filepath.Join(dir, "data"), "SocksPort", "0", "ControlSocket", control},
		settings...)...)
	tor.Args = append(tor.Args, "CookieAuthFile", cookie)
	if err := tor.Start(); err != nil {
		t.Fatalf("%v (apt-get install tor)", err)
	}
	t.Cleanup(func() {
		_ = tor.Process.Kill()
		_ = tor.Wait()
	})
	l, err := net.Listen("unix", socks) // without a network tor opens no SOCKS socket of its own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if c, err := net.Dial("unix", control); err == nil {
			c.Close()
			return System{Control: "unix:" + control, Socks: "unix:" + socks}, cookie
		}
		<-tick.C
	}
	t.Fatal("tor does not listen")
	return System{}, ""
}

// version asks who is there, as who is handed a connection does.
func version(conn net.Conn, known bool) (string, error) {
	c := converse(conn, startIn, nil)
	defer c.close()
	return c.greet(known)
}

func TestWhoCannotReadTheCookieIsHandedAConnectionThatNeedsNone(t *testing.T) {
	s, cookie := systemTor(t, "CookieAuthentication", "1")
	p, err := s.Start(Order{Dir: short(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Wipe()
	if err := os.Remove(cookie); err != nil {
		t.Fatal(err)
	}
	if v, err := version(p.Control(), true); v == "" || err != nil {
		t.Errorf("handed over: %q, %v", v, err)
	}
	naive, err := net.Dial("unix", strings.TrimPrefix(s.Control, "unix:"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := version(naive, false); err == nil {
		t.Errorf("naive: %q: this test proves nothing", v)
	}
}

func TestWhyATorLetsNobodyInIsSaid(t *testing.T) {
	word := filepath.Join(t.TempDir(), "word")
	if err := os.WriteFile(word, []byte("a long word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hashed, err := exec.Command("tor", "--hash-password", "a long word").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(hashed))
	locked, _ := systemTor(t, "HashedControlPassword", lines[len(lines)-1])
	baked, cookie := systemTor(t, "CookieAuthentication", "1")
	nowhere, noSocks, wrong, right := locked, baked, locked, locked
	nowhere.Control, noSocks.Socks = "unix:/nonexistent/control", "unix:/nonexistent/socks"
	wrong.Password, right.Password = cookie, word
	for name, c := range map[string]struct {
		s    System
		want error
	}{
		"no control socket": {nowhere, ErrAway}, "no SOCKS socket": {noSocks, ErrNoSocks},
		"no password": {locked, ErrPassword}, "a wrong password": {wrong, ErrPassword},
		"the password": {right, errTwo}, "a cookie": {baked, errTwo}, // let in, and looked at
	} {
		_, err := Start(t.Context(), Config{Order: Order{Dir: short(t)}, Starter: c.s.Start})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(cookie); err != nil {
		t.Fatal(err)
	}
	if _, err := baked.Start(Order{Dir: short(t)}); !errors.Is(err, ErrCookie) {
		t.Errorf("no cookie: %v", err)
	}
}

// before is somebody who listens where a tor should, and answers as told. What was said to it comes
// in the channel.
func before(t *testing.T, answer func(line string) string) (System, <-chan string) {
	t.Helper()
	name := filepath.Join(short(t), "c")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	heard := make(chan string, 64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for lines := bufio.NewScanner(c); lines.Scan(); {
				heard <- lines.Text()
				fmt.Fprint(c, answer(lines.Text()))
			}
			c.Close()
		}
	}()
	return System{Control: "unix:" + name, Socks: "unix:" + name}, heard
}

// grater answers as onion-grater does, which lets pass what passes says.
func grater(passes func(word string) bool) func(string) string {
	return func(line string) string {
		word, _, _ := strings.Cut(line, " ")
		switch {
		case word == "AUTHENTICATE":
			return "250 OK\r\n"
		case word == "PROTOCOLINFO" || passes(word):
			return answer("good", line)
		}
		return "510 Command filtered\r\n"
	}
}

func TestFilterBeforeATorIsSaid(t *testing.T) {
	for _, word := range []string{"GETCONF", "SETEVENTS", "GETINFO"} {
		s, _ := before(t, grater(func(w string) bool { return w != word }))
		_, err := Start(context.Background(), Config{Order: Order{Dir: short(t)},
			Starter: s.Start})
		if !errors.Is(err, ErrFiltered) {
			t.Errorf("without %s: %v", word, err)
		}
	}
	s, _ := before(t, grater(func(string) bool { return true }))
	_, err := Start(context.Background(), Config{Order: Order{Dir: short(t)}, Starter: s.Start})
	if err == nil || errors.Is(err, ErrFiltered) {
		t.Errorf("a filter that lets all pass, before a tor without SOCKS: %v", err)
	}
}

func TestWhoPosesAsTorLearnsNoCookie(t *testing.T) {
	cookie := filepath.Join(t.TempDir(), "cookie")
	if err := os.WriteFile(cookie, []byte(strings.Repeat("secret! ", 4)), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := hex.EncodeToString([]byte("secret! "))
	for _, methods := range []string{"COOKIE", "COOKIE,SAFECOOKIE"} {
		s, heard := before(t, func(line string) string {
			switch word, _, _ := strings.Cut(line, " "); word {
			case "PROTOCOLINFO":
				return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=" + methods + " COOKIEFILE=\"" +
					cookie + "\"\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n"
			case "AUTHCHALLENGE":
				return "250 AUTHCHALLENGE SERVERHASH=" + strings.Repeat("00", 32) +
					" SERVERNONCE=" + strings.Repeat("00", 32) + "\r\n"
			}
			return "250 OK\r\n"
		})
		if _, err := s.Start(Order{Dir: short(t)}); !errors.Is(err, ErrAuth) {
			t.Errorf("%s: %v", methods, err)
		}
		for len(heard) > 0 {
			if said := <-heard; strings.Contains(said, shown) ||
				strings.HasPrefix(said, "AUTHENTICATE") {
				t.Errorf("%s: the one who poses was told the cookie", methods)
			}
		}
	}
	// The naive way of old programs: METHODS=COOKIE is answered with the file.
	b, err := os.ReadFile(cookie)
	if err != nil || !strings.Contains("AUTHENTICATE "+hex.EncodeToString(b), shown) {
		t.Error("the naive way tells nothing either: this test proves nothing")
	}
}

func FuzzWhatTorSaysBeforeItLetsUsIn(f *testing.F) {
	f.Add("AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/run/tor/control.authcookie\"")
	f.Add("AUTHCHALLENGE SERVERHASH=00 SERVERNONCE=" + strings.Repeat("00", 32))
	f.Fuzz(func(t *testing.T, line string) {
		ways([]string{line})
		hash, nonce, err := challenged(line)
		if err == nil && !strings.EqualFold(strings.Join(strings.Fields(line), " "), fmt.Sprintf(
			"AUTHCHALLENGE SERVERHASH=%x SERVERNONCE=%x", hash, nonce)) {
			t.Errorf("%q was read as another", line)
		}
	})
}

func TestExistingTorIsLeftOnlyIfAllowed(t *testing.T) {
	s, _ := systemTor(t)
	for _, allowed := range []bool{false, true} {
		p, err := s.Start(Order{Dir: short(t), Exits: allowed})
		if err != nil {
			t.Fatal(err)
		}
		c, err := p.(exiting).DialExit(t.Context())
		if allowed != (err == nil) || !allowed && !errors.Is(err, ErrNoExits) {
			t.Errorf("allowed %v: %v", allowed, err)
		}
		if c != nil {
			c.Close()
		}
		p.Control().Close()
		p.Wipe()
	}
}
