// The command line as a newcomer meets it: each script in testdata/script is a claim.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"nightjar/node/card"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"nightjar": func() {
			c := console{in: os.Stdin, out: os.Stdout, err: os.Stderr}
			os.Exit(run(context.Background(), os.Args[1:], c))
		},
	})
}

func TestEveryRefusalSaysWhatHappenedAndWhatNext(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("testdata", "script"),
		Setup: giveCards,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"flip": flip, "concat": concat, "sameline": sameLine},
	})
}

// giveCards puts cards of every kind into the scripts' environment.
func giveCards(env *testscript.Env) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	sign := func(msg []byte) ([64]byte, error) { return [64]byte(ed25519.Sign(private, msg)), nil }
	c := card.Card{Address: card.Address(public), Name: "Newsdesk",
		Expires: time.Now().Add(24 * time.Hour)}
	good, err := c.Encode(sign)
	if err != nil {
		return err
	}
	c.Expires = time.Now().Add(-24 * time.Hour)
	old, err := c.Encode(sign)
	if err != nil {
		return err
	}
	i := len(good) / 2
	swapped := "a"
	if good[i] == 'a' {
		swapped = "b"
	}
	env.Setenv("CARD", good)
	env.Setenv("EXPIRED", old)
	env.Setenv("DAMAGED", good[:i]+swapped+good[i+1:])
	env.Setenv("ADDRESS", c.Address.String())
	env.Setenv("HOME", env.WorkDir)
	phone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Defer(func() { phone.Close() })
	env.Setenv("TAKEN", phone.LocalAddr().String())
	env.Setenv("LONGNAME", strings.Repeat("n", card.MaxName+1))
	return nil
}

// flip changes the size of a file by one byte: a vault that was cut short.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	ts.Check(os.WriteFile(name, b[:len(b)-1], 0o600))
}

// concat writes files one after the other into the last one named: what is typed at prompts.
func concat(ts *testscript.TestScript, _ bool, args []string) {
	var all []byte
	for _, name := range args[:len(args)-1] {
		all = append(all, ts.ReadFile(name)...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[len(args)-1]), all, 0o600))
}

// sameLine checks that two files begin with the same line.
func sameLine(ts *testscript.TestScript, _ bool, args []string) {
	first, _, _ := strings.Cut(ts.ReadFile(args[0]), "\n")
	second, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	if first != second {
		ts.Fatalf("another first line")
	}
}

func TestEveryCommandHasAnExampleAndALine(t *testing.T) {
	for _, cmd := range commands() {
		if !strings.Contains(cmd.long, "  nightjar "+cmd.name) {
			t.Errorf("%s: its help has no example", cmd.name)
		}
		if cmd.short == "" || len(cmd.short) > 60 {
			t.Errorf("%s: %q does not fit the list", cmd.name, cmd.short)
		}
	}
}

func TestPeerTextCannotPaintTheTerminal(t *testing.T) {
	got := escape("a\x1b[2Jb\u202ec\rd\ne")
	if got != `a\x1b[2Jb\u202ec\rd`+"\n  e" {
		t.Errorf("shown as %q", got)
	}
}
