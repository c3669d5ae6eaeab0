//go:build e2e

// The path through a real tor, on a private network on loopback.

package onion_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"net"
	"testing"
	"time"

	"nightjar/onion"
)

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
