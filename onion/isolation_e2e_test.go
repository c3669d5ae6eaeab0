//go:build e2e

// What a tor of ours keeps apart, keeps, and leaves behind.

package onion_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"nightjar/onion"
)

func TestIsolationsNeverShareACircuit(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	l := echo(t, there, onion.Service{})
	to := onion.Remote{ID: l.ID(), Port: 7}
	circuits := func(iso ...onion.Isolation) int {
		before := here.Rendezvous()
		for _, i := range iso {
			c := dial(t, here, to, i)
			defer c.Close()
			exchange(t, c)
		}
		return here.Rendezvous() - before
	}
	if n := circuits("a", "b", "c"); n != 3 {
		t.Errorf("three isolations used %d circuits", n)
	}
	if n := circuits("", ""); n != 2 {
		t.Errorf("two streams without isolation used %d circuits", n)
	}
	// The naive user, with one isolation for all, shares one circuit.
	if n := circuits("same", "same", "same"); n != 1 {
		t.Errorf("one isolation used %d circuits: this test proves nothing", n)
	}
}

func TestGuardsAreKept(t *testing.T) {
	first := startTor(t, nil)
	begun := time.Now()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed after %v", time.Since(begun).Round(time.Millisecond))
	state, err := first.State()
	if err != nil || !bytes.Contains(state, []byte("Guard ")) {
		t.Fatalf("state %q, %v", state, err)
	}
	if !bytes.Contains(state, []byte("confirmed_on=")) {
		t.Error("no guard was confirmed")
	}
	second := startTor(t, state)
	second.Close()
	again, err := second.State()
	if err != nil || confirmed(t, state) != confirmed(t, again) {
		t.Errorf("guard %q became %q, %v", confirmed(t, state), confirmed(t, again), err)
	}
	// Without the state, tor samples and confirms anew, on other days.
	third := startTor(t, nil)
	third.Close()
	fresh, _ := third.State()
	if sampled(fresh) == sampled(state) {
		t.Error("a fresh tor has the same sample: this test proves nothing")
	}
	for _, word := range []string{"Dormant", "LastWritten", "TorVersion"} {
		if bytes.Contains(state, []byte(word)) {
			t.Errorf("the state tells %s", word)
		}
	}
}

// confirmed returns the identity of the guard that is used first.
func confirmed(t *testing.T, state []byte) string {
	t.Helper()
	for _, line := range strings.Split(string(state), "\n") {
		if strings.Contains(line, " confirmed_idx=0") {
			for _, field := range strings.Fields(line) {
				if strings.HasPrefix(field, "rsa_id=") {
					return field
				}
			}
		}
	}
	t.Fatal("no confirmed guard")
	return ""
}

// sampled returns when the guards were sampled: tor blurs it over days.
func sampled(state []byte) string {
	var all []string
	for _, field := range strings.Fields(string(state)) {
		if strings.HasPrefix(field, "sampled_on=") || strings.HasPrefix(field, "rsa_id=") {
			all = append(all, field)
		}
	}
	return strings.Join(all, " ")
}

func TestDeadTorIsKnownAtOnceAndNothingGoesAroundIt(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	l := echo(t, there, onion.Service{})
	to := onion.Remote{ID: l.ID(), Port: 7}
	c := dial(t, here, to, "")
	defer c.Close()
	exchange(t, c)
	mine, err := here.Publish(t.Context(), onion.Service{Port: 9, Seed: [32]byte{9}})
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error, 1)
	go func() {
		_, err := mine.Accept()
		accepted <- err
	}()
	begun := time.Now()
	if err := here.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the stream of a dead tor: %v", err)
	}
	<-here.Done()
	t.Logf("known after %v", time.Since(begun).Round(time.Microsecond))
	if d := time.Since(begun); d > time.Second {
		t.Errorf("it took %v", d)
	}
	if err := <-accepted; !errors.Is(err, onion.ErrTorDied) {
		t.Errorf("accept: %v", err)
	}
	if _, err := here.Dial(t.Context(), to, ""); !errors.Is(err, onion.ErrTorDied) {
		t.Errorf("dial: %v", err)
	}
	_, err = here.Publish(t.Context(), onion.Service{Port: 1})
	if !errors.Is(err, onion.ErrTorDied) {
		t.Errorf("publish: %v", err)
	}
	if h := here.Health(); h != (onion.Health{}) {
		t.Errorf("health %+v", h)
	}
	here.Close()
	if _, err := here.Dial(t.Context(), to, ""); !errors.Is(err, onion.ErrPathClosed) {
		t.Errorf("dial on a closed path: %v", err)
	}
}

func TestStoppedTorIsGivenUp(t *testing.T) {
	tor := startTor(t, nil)
	if err := tor.Freeze(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	select {
	case <-tor.Done():
		t.Logf("given up after %v", time.Since(begun).Round(time.Millisecond))
	case <-time.After(30 * time.Second):
		t.Error("a stopped tor counts as alive")
	}
}

func TestDialIsCancelled(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	l := echo(t, there, onion.Service{})
	to := onion.Remote{ID: l.ID(), Port: 7}
	dial(t, here, to, "").Close()
	there.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := here.Dial(ctx, to, "")
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}

func TestTorThatIsMissingOrRefusesItsSettings(t *testing.T) {
	_, err := onion.StartTor(t.Context(), onion.TorConfig{Exe: "/nonexistent/tor"})
	if !errors.Is(err, onion.ErrTorMissing) {
		t.Errorf("missing: %v", err)
	}
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(dir)
	_, err = onion.StartTor(t.Context(), onion.TorConfig{Dir: dir, Options: []string{"Bridge nonsense"}})
	if !errors.Is(err, onion.ErrTorOption) {
		t.Errorf("settings that tor refuses: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files left", len(left))
	}
}
