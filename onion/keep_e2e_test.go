//go:build e2e

// A tor that is kept comes back by itself, and so do its services.

package onion_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"nightjar/onion"
)

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

func TestKeptTorComesBackWithItsServices(t *testing.T) {
	there, here := keepTor(t), keepTor(t)
	l := echo(t, there, onion.Service{})
	to := onion.Remote{ID: l.ID(), Port: 7}
	back(t, here, to)

	here.Kill()
	if _, err := here.Dial(t.Context(), to, ""); !errors.Is(err, onion.ErrTorDied) {
		t.Errorf("dial while tor is away: %v", err)
	}
	t.Logf("the dialler's tor was killed; it dialled again after %v", back(t, here, to))
	there.Kill()
	t.Logf("the service's tor was killed; it was reached again after %v", back(t, here, to))
	there.Freeze()
	t.Logf("the service's tor was stopped; it was reached again after %v", back(t, here, to))
	if h := there.Health(); h.Restarts != 2 || !h.Bootstrapped {
		t.Errorf("health %+v", h)
	}
	if here.Health().Restarts != 1 {
		t.Errorf("health %+v", here.Health())
	}
	select {
	case <-there.Done():
		t.Error("a kept tor counts as gone")
	default:
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	there.Close()
	<-there.Done()
}

func TestKeptTorIsClosedWhileItIsAway(t *testing.T) {
	tor := keepTor(t)
	l, err := tor.Publish(t.Context(), onion.Service{Port: 1, Seed: [32]byte{5}})
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	tor.Kill()
	begun := time.Now()
	tor.Close()
	if d := time.Since(begun); d > 5*time.Second {
		t.Errorf("closing took %v", d)
	}
	if err := <-accepted; !errors.Is(err, onion.ErrPathClosed) {
		t.Errorf("accept: %v", err)
	}
}
