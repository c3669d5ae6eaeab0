//go:build e2e

// The world of these tests: a private DHT, and two people who reach it by the way under test alone.

package ways

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nightjar/audit/privnet/lab"
	"nightjar/audit/privnet/stage"
	"nightjar/audit/privnet/swarm"
	"nightjar/cmd/control/api"
	"nightjar/node/bundle"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == engineWord || os.Args[1] == wardenWord) {
		os.Exit(hijack(os.Args[1:]))
	}
	os.Exit(play(m))
}

// set is what the tests share, outside of the lab.
var set struct{ bin string }

// play builds the program once, unless it is inside of a lab, where it is told of it.
func play(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ways")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if !slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "lab:") }) {
		set.bin = filepath.Join(dir, "nightjar")
		cmd := exec.Command("go", "build", "-o", set.bin, "nightjar/cmd/nightjar")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// program tells the inside of a lab where the program is.
func program(*lab.Lab) []string { return []string{set.bin} }

// patience is how long one step may take.
const patience = time.Minute

// nodes is how many there are in the DHT.
const nodes = 24

// dht starts a DHT in the world, and returns what opens it: no two of its nodes share a /16.
func dht(l *lab.Lab) string {
	l.T.Helper()
	var hosts []netip.Addr
	var lines strings.Builder
	for i := range nodes {
		a := netip.AddrFrom4([4]byte{11, byte(i + 1), 0, 1})
		hosts = append(hosts, a)
		fmt.Fprintf(&lines, "addr add %v/32 dev lo\n", a)
	}
	batch := filepath.Join(l.T.TempDir(), "hosts")
	if err := os.WriteFile(batch, []byte(lines.String()), 0o600); err != nil {
		l.T.Fatal(err)
	}
	l.InWorld("ip", "-batch", batch)
	var s *swarm.Swarm
	l.Visit(func() (err error) {
		s, err = swarm.Start(l.T.Context(), swarm.Options{Nodes: nodes, Hosts: hosts, Port: 6881})
		return err
	})
	l.T.Cleanup(s.Stop)
	b := bundle.Bundle{Nodes: s.Addrs()}
	text, err := b.Encode()
	if err != nil {
		l.T.Fatal(err)
	}
	file := filepath.Join(l.T.TempDir(), "bundle")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		l.T.Fatal(err)
	}
	return file
}

// person makes a vault; its engine is not started.
func person(l *lab.Lab, name string) *stage.Party {
	l.T.Helper()
	dir, err := os.MkdirTemp("", "nj") // a short name: sockets are in it
	if err != nil {
		l.T.Fatal(err)
	}
	l.T.Cleanup(func() { os.RemoveAll(dir) })
	p, err := stage.NewParty(l.T.Context(), stage.Options{Bin: l.Args[0], Dir: dir}, name)
	if err != nil {
		l.T.Fatal(err)
	}
	return p
}

// up starts a person's engine on a way out.
func up(l *lab.Lab, p *stage.Party, path string, more ...string) {
	l.T.Helper()
	args := append([]string{"up", "--no-phone", "--require-seal", "--path", path}, more...)
	if !strings.HasPrefix(path, "tor") { // the lab's addresses are none of the Internet
		args = append(args, "--allow-private-addresses")
	}
	if err := p.Start(context.Background(), args...); err != nil {
		l.T.Fatal(err)
	}
	l.T.Cleanup(func() {
		p.Stop()
		if l.T.Failed() {
			l.T.Logf("%s said: %s", p.Name, strings.ReplaceAll(p.Log(40), "; ", "\n"))
		}
	})
}

// told gives people's engines the DHT, and waits until they can be reached.
func told(l *lab.Lab, bundle string, people ...*stage.Party) {
	l.T.Helper()
	ctx, cancel := context.WithTimeout(l.T.Context(), patience)
	defer cancel()
	for _, p := range people {
		if err := p.Wait(ctx, "its engine", func() (bool, error) {
			return p.Run(ctx, nil, "status") == nil, nil
		}); err != nil {
			l.T.Fatal(err)
		}
		run(l.T, p, "bundle", "import", bundle)
	}
	for _, p := range people {
		if err := p.Reachable(ctx); err != nil {
			l.T.Fatal(err)
		}
	}
}

func run(t *testing.T, p *stage.Party, args ...string) {
	t.Helper()
	if err := p.Run(t.Context(), nil, args...); err != nil {
		t.Fatal(err)
	}
}

// talk brings two people in touch, and has each write to the other.
func talk(l *lab.Lab, a, b *stage.Party) {
	l.T.Helper()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(l.T.Context(), patience)
	defer cancel()
	if err := stage.Befriend(ctx, a, b); err != nil {
		l.T.Fatal(err)
	}
	l.T.Logf("in touch after %v", time.Since(begun).Round(100*time.Millisecond))
	for _, way := range [][2]*stage.Party{{a, b}, {b, a}} {
		from, to := way[0], way[1]
		run(l.T, from, "send", to.Name, "a word from "+from.Name, "--wait")
		var got []api.Message
		if err := to.Run(l.T.Context(), &got, "read", from.Name); err != nil {
			l.T.Fatal(err)
		}
		if len(got) == 0 || got[len(got)-1].Text != "a word from "+from.Name {
			l.T.Errorf("%s reads %d messages of %s", to.Name, len(got), from.Name)
		}
	}
}

// status is what a person's engine says of itself.
func status(l *lab.Lab, p *stage.Party) (s api.Status) {
	l.T.Helper()
	if err := p.Run(l.T.Context(), &s, "status"); err != nil {
		l.T.Fatal(err)
	}
	return s
}

// clean checks that nothing has left but what may, and that what goes astray would be seen. What
// may is packets to an address: of one protocol to one port, if they are named.
func clean(l *lab.Lab, w *lab.Watch, proto byte, to string) {
	l.T.Helper()
	counted := w.Counted()
	l.T.Logf("%d packets to where they may go, %d others", counted.Allowed, counted.Stray)
	if counted.Allowed == 0 || counted.Stray != 0 {
		l.T.Errorf("counted %+v", counted)
	}
	stray(l, false)
	if n := w.Counted(); n.Stray <= counted.Stray {
		l.T.Error("a stray packet is not counted: the counters prove nothing")
	}
	captured := w.Captured(func(p lab.Packet) bool {
		return (p.Proto == proto || proto == 0) &&
			(p.To.String() == to || p.To.Addr().String() == to)
	})
	if n := w.Counted(); captured.Stray != n.Stray || captured.Allowed < counted.Allowed {
		l.T.Errorf("captured %+v, counted %+v", captured, n)
	}
}
