//go:build e2e && linux

// What a service tells of itself, and to whom.

package onion_test

import (
	"bufio"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightjar/onion"
	"nightjar/onion/socks"
)

// stranger is a tor of somebody else's, whose circuits are counted by their purpose.
type stranger struct {
	t       *testing.T
	tor     system
	control net.Conn
	answers *bufio.Reader
	told    map[string]int // of circuits, by their purpose
}

func newStranger(t *testing.T) *stranger {
	t.Helper()
	s := &stranger{t: t, tor: startSystem(t, "unix:DIR/control", "unix:DIR/socks"),
		told: map[string]int{}}
	mine, err := attach(t, s.tor, false) // which waits until it is in its network
	if err != nil {
		t.Fatal(err)
	}
	mine.Close()
	name := strings.TrimPrefix(s.tor.control, "unix:")
	if s.control, err = net.Dial("unix", name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.control.Close() })
	cookie, err := os.ReadFile(filepath.Join(filepath.Dir(name), "cookie"))
	if err != nil {
		t.Fatal(err)
	}
	s.answers = bufio.NewReader(s.control)
	s.ask(fmt.Sprintf("AUTHENTICATE %x", cookie))
	return s
}

// ask sends a command and returns the answer.
func (s *stranger) ask(command string) string {
	s.t.Helper()
	fmt.Fprintf(s.control, "%s\r\n", command)
	var all strings.Builder
	for {
		line, err := s.answers.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		switch {
		case strings.HasPrefix(line, "650 CIRC"):
			s.note(line)
		case len(line) > 3 && line[:4] == "250 ":
			return all.String()
		case line[0] == '5' && len(line) > 3 && line[3] == ' ':
			s.t.Fatalf("%s: %s", command, line)
		default:
			all.WriteString(line)
		}
	}
}

// note counts what is told of a circuit by the circuit's purpose.
func (s *stranger) note(line string) {
	for _, word := range strings.Fields(line) {
		if purpose, ok := strings.CutPrefix(word, "PURPOSE="); ok {
			s.told[purpose]++
		}
	}
}

// dial asks for a service, and counts what tor tells of circuits meanwhile by their purpose:
// circuits that it builds in advance and uses later change it, and that is told too.
func (s *stranger) dial(id string) (purposes map[string]int, err error) {
	s.told = map[string]int{}
	s.ask("SETEVENTS CIRC CIRC_MINOR")
	dial := func() error {
		c, err := socks.Dial(s.t.Context(), func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", strings.TrimPrefix(s.tor.socks, "unix:"))
		}, socks.Login{User: string(onion.NewIsolation()), Password: "0"}, id+".onion", 7)
		if err == nil {
			c.Close()
		}
		return err
	}
	err = dial()
	s.ask("SETEVENTS") // and reads what was told
	return s.told, err
}

func TestStrangerLearnsNoIntroductionPointAndBeginsNoCircuitToOne(t *testing.T) {
	there, far := startTor(t, nil), newStranger(t)
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	client := [][32]byte{[32]byte(key.PublicKey().Bytes())}
	other, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for how, s := range map[string]onion.Service{"closed": {Clients: client}, "naive": {}} {
		l := echo(t, there, s)
		purposes, err := far.dial(l.ID())
		for end := time.Now().Add(20 * time.Second); how == "naive" && err != nil &&
			time.Now().Before(end); {
			purposes, err = far.dial(l.ID()) // it may not be found everywhere yet
		}
		t.Logf("%s: %v, %v", how, purposes, err)
		open := how == "naive"
		if (err == nil) != open || (purposes["HS_CLIENT_INTRO"] > 0) != open {
			t.Errorf("%s: circuits %v, %v", how, purposes, err)
		}
		d := readDescriptor(t, l.ID(), far.ask("GETINFO hs/client/desc/id/"+l.ID()))
		for who, k := range map[string]*ecdh.PrivateKey{"nobody": nil, "another": other} {
			if in := d.open(k); (in != "") != (open && k == nil) {
				t.Errorf("%s: to %s it opens: %v", how, who, in != "")
			}
		}
		in := d.open(map[bool]*ecdh.PrivateKey{false: key}[open])
		if !strings.Contains(in, "introduction-point ") {
			t.Errorf("%s: who is let in finds no introduction point", how)
		}
		if !strings.Contains(in, "\npow-params v1 ") {
			t.Errorf("%s: no proof of work is asked for: %q", how, in[:min(len(in), 200)])
		}
		l.Close()
	}
}
