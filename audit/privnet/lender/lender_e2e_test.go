// The two forms of a gateway over a real tor network.

//go:build e2e

package lender

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"nightjar/audit/privnet/swarm"
	"nightjar/audit/privnet/tornet"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/meet/relay"
	"nightjar/onion"
)

// framed is a lender that is no relay.
type framed struct{ *Lender }

func (f framed) Trip() meet.Trip { return f }

func (f framed) Relay(context.Context) (*relay.Link, error) { return nil, relay.ErrRelay }

// lend starts a swarm, a tor network, a tor on either side, and a gateway.
func lend(t *testing.T) *Lender {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	s, err := swarm.Start(ctx, swarm.Options{Nodes: 50})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	network, err := tornet.Start(ctx, tornet.Options{Progress: func(string, time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = network.Stop() })
	var paths [2]onion.Path
	for i := range paths {
		paths[i], err = onion.StartTor(ctx, onion.TorConfig{Options: network.Torrc()})
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := Over(ctx, paths[0], paths[1], s.Addrs()[:8])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	return l
}

func TestContactsMeetOverTorByARelayAndByWalksOfTheirOwn(t *testing.T) {
	l := lend(t)
	for n, c := range []meet.Carrier{l, framed{l}} {
		m, root := &meet.Meeting{Carrier: c}, [32]byte{byte(n + 1)}
		tomorrow := time.Now().Add(24 * time.Hour).Truncate(time.Hour).UTC()
		r := card.Reach{Auth: root, Expires: tomorrow}
		begun, carried := time.Now(), l.Bytes()
		acks, err := m.Publish(t.Context(), root, meet.Low, r)
		if err != nil || acks < meet.MinStores {
			t.Fatalf("stored at %d: %v", acks, err)
		}
		put := time.Since(begun)
		begun = time.Now()
		got, err := m.Find(t.Context(), root, meet.Low)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("found %+v: %v", got, err)
		}
		get, bytes := time.Since(begun), l.Bytes()-carried
		begun = time.Now()
		if _, err := m.Find(t.Context(), root, meet.High); !errors.Is(err, meet.ErrNotFound) {
			t.Fatal(err)
		}
		t.Logf("put %v, get %v, %d bytes, miss %v", put.Round(time.Millisecond),
			get.Round(time.Millisecond), bytes, time.Since(begun).Round(time.Millisecond))
		if walked := bytes > 6000; walked == (n == 0) {
			t.Errorf("%d bytes: who walked?", bytes)
		}
	}
}
