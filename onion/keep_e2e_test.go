//go:build e2e

// A tor that is kept comes back by itself, and so do its services.

package onion_test

import (
	"errors"
	"testing"
	"time"

	"nightjar/onion"
)

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
