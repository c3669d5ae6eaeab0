//go:build e2e || bench

// A private network that all tests share, and what they do in it.

package onion_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"nightjar/audit/privnet/tornet"
	"nightjar/onion"
)

// network is shared by all tests: it takes a while to start.
var network *tornet.Network

func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case flag.Arg(0) == "orphan":
		os.Exit(m.Run())
	case !*inside:
		os.Exit(enclose())
	}
	os.Exit(withNetwork(m))
}

func withNetwork(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var err error
	progress := func(step string, d time.Duration) { fmt.Printf("%6.1f s  %s\n", d.Seconds(), step) }
	network, err = tornet.Start(ctx, tornet.Options{Bridge: true, Exit: true,
		Progress: progress})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer network.Stop()
	return m.Run()
}

// startTor starts a tor in the private network, and checks at the end that nothing of it is left.
func startTor(t *testing.T, state []byte) *onion.Tor {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begun := time.Now()
	tor, err := onion.StartTor(ctx, onion.TorConfig{Dir: dir, State: state,
		Options: network.Torrc(), Progress: func(p onion.Progress) {
			if p.Percent == 100 {
				t.Logf("tor can be used after %v", time.Since(begun).Round(time.Millisecond))
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tor.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%d files left", len(left))
		}
		os.Remove(dir)
	})
	return tor
}

// echo publishes a service that says back what it hears.
func echo(t *testing.T, tor *onion.Tor, s onion.Service) onion.Listener {
	t.Helper()
	s.Port = 7
	rand.Read(s.Seed[:])
	begun := time.Now()
	l, err := tor.Publish(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	select {
	case <-l.Published():
		t.Logf("published after %v", time.Since(begun).Round(time.Millisecond))
	case <-time.After(time.Minute):
		t.Fatal("not published")
	}
	return l
}

// dial retries while the service is not there: its descriptor may be on the way.
func dial(t *testing.T, tor *onion.Tor, to onion.Remote, iso onion.Isolation) net.Conn {
	t.Helper()
	begun := time.Now()
	for try := 1; ; try++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c, err := tor.Dial(ctx, to, iso)
		cancel()
		if err == nil {
			t.Logf("dialled after %v, try %d", time.Since(begun).Round(time.Millisecond), try)
			return c
		}
		if !errors.Is(err, onion.ErrNoService) || try == 10 {
			t.Fatal(err)
		}
		<-time.After(500 * time.Millisecond)
	}
}

// exchange checks that the far side says back what it is told.
func exchange(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	say := make([]byte, 3000)
	rand.Read(say)
	go c.Write(say)
	got := make([]byte, len(say))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, say) {
		t.Fatalf("no echo: %v", err)
	}
}

// keepTor is startTor for a tor that is kept.
func keepTor(t *testing.T) *onion.Tor {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tor, err := onion.StartTor(ctx, onion.TorConfig{Dir: dir, Options: network.Torrc(), Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tor.Close()
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%d files left", len(left))
		}
		os.Remove(dir)
	})
	return tor
}

// back dials until the service answers again, and returns how long that took.
func back(t *testing.T, tor *onion.Tor, to onion.Remote) time.Duration {
	t.Helper()
	for begun := time.Now(); ; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c, err := tor.Dial(ctx, to, "")
		cancel()
		if err == nil {
			c.SetDeadline(time.Now().Add(5 * time.Second))
			c.Write([]byte("?"))
			_, err = c.Read(make([]byte, 1))
			c.Close()
		}
		if err == nil {
			return time.Since(begun).Round(time.Millisecond)
		}
		if time.Since(begun) > 2*time.Minute {
			t.Fatalf("not back: %v", err)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// guardOf returns the fingerprint and the port of the relay through which a tor's circuits go.
func guardOf(t *testing.T, tor *onion.Tor) (fingerprint, port string) {
	t.Helper()
	circuits, err := tor.Info("circuit-status")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for line := range strings.Lines(circuits) {
		f := strings.Fields(line)
		if len(f) > 2 && f[1] == "BUILT" && strings.HasPrefix(f[2], "$") {
			count[f[2][1:41]]++
		}
	}
	for g, n := range count {
		if n > count[fingerprint] {
			fingerprint = g
		}
	}
	status, err := tor.Info("ns/id/" + fingerprint)
	if err != nil || len(count) == 0 {
		t.Fatalf("%d guards in use: %v", len(count), err)
	}
	f := strings.Fields(status)
	return fingerprint, f[7] // r nickname identity digest date time address port
}
