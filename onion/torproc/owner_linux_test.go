// Who holds the socket of an existing tor.

package torproc

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// poser listens where a tor should, and lets everybody in.
func poser(t *testing.T, network, at, methods string) (name string, heard <-chan string) {
	t.Helper()
	l, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	said := make(chan string, 64)
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			for lines := bufio.NewScanner(c); lines.Scan(); {
				said <- lines.Text()
				if strings.HasPrefix(lines.Text(), "PROTOCOLINFO") {
					fmt.Fprintf(c, "250-AUTH METHODS=%s\r\n", methods)
				}
				fmt.Fprint(c, "250 OK\r\n")
			}
			c.Close()
		}
	}()
	if network == "unix" {
		return unixly + at, said
	}
	return l.Addr().String(), said
}

// places are kinds of sockets at which a tor can be.
func places(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0",
		"unix": filepath.Join(short(t), "c")}
}

func TestOtherUserWhoHoldsTheControlSocketIsToldNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "word")
	if err := os.WriteFile(file, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for network, at := range places(t) {
		name, heard := poser(t, network, at, "NULL,HASHEDPASSWORD")
		s := System{Control: name, Socks: name, Password: file, trusts: func(uid uint32) bool {
			return int(uid) != os.Getuid() // what another user would see
		}}
		if _, err := s.Start(Order{Dir: short(t)}); !errors.Is(err, errStranger) {
			t.Errorf("%s: the one who holds the socket is taken for tor: %v", network, err)
		}
		if len(heard) > 0 {
			t.Errorf("%s: it was told %q", network, <-heard)
		}
		s.trusts = nil // a tor of one's own
		p, err := s.Start(Order{Dir: short(t)})
		if err != nil {
			t.Fatalf("%s: a tor of the same user: %v", network, err)
		}
		p.Control().Close()
		p.Wipe()
	}
}

func TestPasswordGoesToWhoeverListensUnlessItsUserIsLookedAt(t *testing.T) {
	name, heard := poser(t, "tcp4", "127.0.0.1:0", "HASHEDPASSWORD")
	naive := func(uint32) bool { return true }
	c, err := dialLocal(t.Context(), name, naive)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := login(c, []byte("sesame")); err != nil {
		t.Fatal(err)
	}
	<-heard
	if told := <-heard; told != "AUTHENTICATE "+hex.EncodeToString([]byte("sesame")) {
		t.Errorf("the naive way tells %q: the test above proves nothing", told)
	}
}

func TestOtherUserWhoTakesTheSOCKSSocketLaterGetsNoStreams(t *testing.T) {
	for network, at := range places(t) {
		name, _ := poser(t, network, at, "NULL")
		mine := true
		p, err := System{Control: name, Socks: name,
			trusts: func(uint32) bool { return mine }}.Start(Order{Dir: short(t), Exits: true})
		if err != nil {
			t.Fatal(err)
		}
		mine = false // tor has ended, and another user has its port
		for way, dial := range map[string]func(context.Context) (net.Conn, error){
			"inside": p.Dial, "exit": p.(exiting).DialExit} {
			if _, err := dial(t.Context()); !errors.Is(err, errStranger) {
				t.Errorf("%s: %s: %v", network, way, err)
			}
		}
		p.Control().Close()
		p.Wipe()
	}
}

func TestOnlyUsersThatTorRunsAsMayBeTor(t *testing.T) {
	if !mayBeTor(0) || !mayBeTor(uint32(os.Getuid())) {
		t.Error("root or this user may not")
	}
	list := "root:x:0:0::/:\ndebian-tor:x:106:1::/:\n_tor-two:x:107:1::/:\ntoranon:x:108:1::/:\n" +
		"tor:x:1001:1:Tor Hansen:/home/tor:\nnobody:x:65534:1::/:\nx:tor:109:0\nshort:x\n"
	for uid, want := range map[uint32]bool{106: true, 107: true, 108: true, 109: false,
		1001: false, 65534: false, 10: false, 1000: false} {
		if namedTor(list, uid) != want {
			t.Errorf("user %d: %v", uid, !want)
		}
	}
}

func TestEveryoneWhoMayBeAtTheOtherEndIsTrusted(t *testing.T) {
	at, us := netip.MustParseAddrPort("127.0.0.1:9051"), netip.MustParseAddrPort("127.0.0.1:40000")
	row := func(local, remote, state string, uid int) string {
		return fmt.Sprintf("   0: %s %s %s 00000000:00000000 00:00000000 00000000 %5d        0 1 1\n",
			local, remote, state, uid)
	}
	here, none := "0100007F:235B", "00000000:0000"
	mapped := "0000000000000000FFFF00000100007F:235B"
	for name, c := range map[string]struct {
		table string
		want  bool
	}{
		"tor listens":            {row(here, none, "0A", 106), true},
		"tor listens everywhere": {row("00000000:235B", none, "0A", 106), true},
		"a stranger listens":     {row(here, none, "0A", 1000), false},
		"by IPv6":                {row(mapped, none, "0A", 1000), false},
		"everywhere":             {row("00000000:235B", none, "0A", 1000), false},
		"beside tor":             {row(here, none, "0A", 106) + row(here, none, "0A", 1000), false},
		"at another port": {row(here, none, "0A", 106) +
			row("0100007F:235C", none, "0A", 1000), true},
		"listened, and has the other end": {row(here, none, "0A", 106) +
			row(here, "0100007F:9C40", "01", 1000), false},
		"has another connection": {row(here, none, "0A", 106) +
			row(here, "0100007F:9C41", "01", 1000), true},
		"nobody listens": {row(here, "0100007F:9C40", "01", 106), false},
		"nothing":        {"", false},
		"nonsense":       {"a b c d e f g h i\n0100007F:235B x 0A 0 0 0 0 0\n", false},
	} {
		var e ends
		if err := e.read(strings.NewReader("  sl local st\n"+c.table), at, us); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := e.all(func(uid uint32) bool { return uid == 106 }); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
