//go:build e2e && linux

// A tor behind a filter, as Tails and Whonix have it.

package onion_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"nightjar/onion"
	"nightjar/onion/torproc"
)

// filter listens before a tor's control socket, and lets pass no command that begins with a word.
func filter(t *testing.T, s system, word string) system {
	t.Helper()
	name := filepath.Join(t.TempDir(), "f")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			asker, err := l.Accept()
			if err != nil {
				return
			}
			go pass(asker, strings.TrimPrefix(s.control, "unix:"), word)
		}
	}()
	return system{"unix:" + name, s.socks}
}

// pass carries commands one way and answers the other.
func pass(asker net.Conn, control, word string) {
	defer asker.Close()
	tor, err := net.Dial("unix", control)
	if err != nil {
		return
	}
	defer tor.Close()
	go io.Copy(asker, tor)
	lines := bufio.NewScanner(asker)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), word) {
			fmt.Fprint(asker, "510 Command filtered\r\n")
			continue
		}
		fmt.Fprint(tor, lines.Text()+"\r\n")
	}
}

func TestFilteredTorSaysWhatIsNotPossible(t *testing.T) {
	s := startSystem(t, "unix:DIR/control", "127.0.0.1:9060")
	there := startTor(t, nil)
	far := onion.Remote{ID: echo(t, there, onion.Service{}).ID(), Port: 7}
	for word, want := range map[string]bool{"ADD_ONION": true, "NOTHING": false} {
		tor, err := attach(t, filter(t, s, word), false)
		if err != nil {
			t.Fatal(err)
		}
		l, err := tor.Publish(t.Context(), onion.Service{Port: 7, Seed: [32]byte{3}})
		if errors.Is(err, torproc.ErrFiltered) != want {
			t.Errorf("without %s: publish: %v", word, err)
		}
		said := strings.Contains(strings.Join(tor.Limits(), "\n"), "refused to publish")
		if said != want {
			t.Errorf("without %s: said %v", word, said)
		}
		c := dial(t, tor, far, "")
		exchange(t, c)
		c.Close()
		if l != nil {
			l.Close()
		}
		tor.Close()
	}
	if _, err := attach(t, filter(t, s, "GETCONF"), false); !errors.Is(err, torproc.ErrFiltered) {
		t.Errorf("a tor that cannot be looked at: %v", err)
	}
}
