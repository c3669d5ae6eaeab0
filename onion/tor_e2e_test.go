//go:build e2e

// The path through a real tor, on a private network on loopback.

package onion_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"nightjar/audit/privnet/tornet"
	"nightjar/onion"
)

// network is shared by all tests: it takes a while to start.
var network *tornet.Network

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Arg(0) == "orphan" {
		os.Exit(m.Run())
	}
	os.Exit(withNetwork(m))
}

func withNetwork(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var err error
	network, err = tornet.Start(ctx, tornet.Options{Bridge: true, Progress: func(step string, d time.Duration) {
		fmt.Printf("%6.1f s  %s\n", d.Seconds(), step)
	}})
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

func TestStrangersReachAPublishedService(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	l := echo(t, there, onion.Service{})
	c := dial(t, here, onion.Remote{ID: l.ID(), Port: 7}, onion.NewIsolation())
	defer c.Close()
	exchange(t, c)
	h := here.Health()
	if !h.Bootstrapped || h.Version == "" || h.Circuits == 0 || h.Guards == 0 {
		t.Errorf("health %+v", h)
	}
	if s := c.RemoteAddr().String(); s != "path" {
		t.Errorf("address %q", s)
	}
	_, err := here.Dial(t.Context(), onion.Remote{ID: l.ID(), Port: 8}, "")
	if !errors.Is(err, onion.ErrNoService) {
		t.Errorf("a port that is not served: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept on a closed listener: %v", err)
	}
	exchange(t, c) // what was accepted goes on
}

func TestOnlyAuthorizedClientsReachAService(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l := echo(t, there, onion.Service{Clients: [][32]byte{[32]byte(key.PublicKey().Bytes())}})
	known := onion.Remote{ID: l.ID(), Port: 7, Auth: [32]byte(key.Bytes()), HasAuth: true}
	for try := 0; ; try++ {
		begun := time.Now()
		_, err = here.Dial(t.Context(), onion.Remote{ID: l.ID(), Port: 7}, "")
		t.Logf("a stranger was refused after %v", time.Since(begun).Round(time.Millisecond))
		if !errors.Is(err, onion.ErrNoService) || try == 10 {
			break
		}
	}
	if !errors.Is(err, onion.ErrNotAuthorized) {
		t.Errorf("without a key: %v", err)
	}
	wrong := onion.Remote{ID: l.ID(), Port: 7, Auth: [32]byte{9}, HasAuth: true}
	if _, err := here.Dial(t.Context(), wrong, ""); !errors.Is(err, onion.ErrNotAuthorized) {
		t.Errorf("with another key: %v", err)
	}
	c := dial(t, here, known, "")
	defer c.Close()
	exchange(t, c)
	// The naive service, open to all, shows that the stranger's dial does work.
	open := echo(t, there, onion.Service{})
	d := dial(t, here, onion.Remote{ID: open.ID(), Port: 7}, "")
	defer d.Close()
	exchange(t, d)
}

func TestMissingServiceIsSaid(t *testing.T) {
	tor := startTor(t, nil)
	ghost := onion.NewMemory().Path()
	l, err := ghost.Publish(t.Context(), onion.Service{Port: 7, Seed: [32]byte{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	_, err = tor.Dial(t.Context(), onion.Remote{ID: l.ID(), Port: 7}, "")
	t.Logf("after %v: %v", time.Since(begun).Round(time.Millisecond), err)
	if !errors.Is(err, onion.ErrNoService) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tor.Dial(ctx, onion.Remote{ID: l.ID(), Port: 7}, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled dial: %v", err)
	}
}
