//go:build e2e && linux

// Entering the network by a bridge, and by nothing else.

package onion_test

import (
	"context"
	"os"
	"testing"
	"time"

	"nightjar/onion"
	"nightjar/onion/torproc"
)

func TestBridgeIsTheOnlyWayIn(t *testing.T) {
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(dir)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begun := time.Now()
	// As the warden starts it: with what the kernel lets a tor and its transport open.
	here, err := onion.StartTor(ctx, onion.TorConfig{Dir: dir, Options: network.BridgeTorrc(),
		Starter: torproc.Confined})
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	t.Logf("tor can be used after %v", time.Since(begun).Round(time.Millisecond))
	there := startTor(t, nil)
	l := echo(t, there, onion.Service{})
	c := dial(t, here, onion.Remote{ID: l.ID(), Port: 7}, "")
	defer c.Close()
	exchange(t, c)
	ways := func(tor *onion.Tor) int {
		far := map[string]bool{}
		for _, s := range sockets(t, tor.PID()) {
			far[s.far.String()] = true
		}
		return len(far)
	}
	if n := ways(here); n != 1 {
		t.Errorf("tor with a bridge speaks to %d places, want the transport's alone", n)
	}
	if n := ways(there); n < 2 {
		t.Errorf("tor without a bridge speaks to %d places: this test proves nothing", n)
	}
}
