// The figures of hostile nodes, each beside what the library's own getput does against the same.

//go:build bench

package meet_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/exts/getput"

	"nightjar/audit/privnet/lender"
	"nightjar/audit/privnet/swarm"
	"nightjar/node/meet"
	"nightjar/node/meet/walk"
)

// TestFiguresOfSybils lets hostile nodes stand around a target that they know, which those of our
// slots are not. On loopback every id fits every address, so BEP42 does not help here.
func TestFiguresOfSybils(t *testing.T) {
	for _, c := range []struct {
		name string
		y    swarm.Sybils
	}{
		{"sybil20", swarm.Sybils{Count: 20}},
		{"sybil50", swarm.Sybils{Count: 50}},
		{"sybil50_spread", swarm.Sybils{Count: 50, Spread: true}},
	} {
		ours, control, tries := 0, 0, 0
		for range 8 {
			_, priv, _ := ed25519.GenerateKey(nil)
			key := [32]byte(priv.Public().(ed25519.PublicKey))
			c.y.Target = walk.Target(key)
			s, err := swarm.Start(t.Context(), swarm.Options{Nodes: nodes, Sybils: c.y})
			if err != nil {
				t.Fatal(err)
			}
			l, err := lender.Start(t.Context(), s.Addrs()[:8])
			if err != nil {
				t.Fatal(err)
			}
			size := survey(t, l)
			for seq := range int64(3) {
				tries++
				if storeAndFind(t, l, priv, 2*seq, size) {
					ours++
				}
				if libraryStoreAndFind(t, l, priv, 2*seq+1) {
					control++
				}
			}
			l.Stop()
			s.Stop()
		}
		figure(c.name+"_success", 100*float64(ours)/float64(tries), "%")
		figure(c.name+"_success_control", 100*float64(control)/float64(tries), "%")
	}
}

// TestFiguresOfHostileNodes lets a share of all nodes be hostile: they take every item, give none
// back, and name only each other.
func TestFiguresOfHostileNodes(t *testing.T) {
	for _, percent := range []int{10, 50, 90} {
		ours, control, tries := 0, 0, 0
		for range 10 {
			s, err := swarm.Start(t.Context(), swarm.Options{Nodes: nodes,
				Hostile: nodes * percent / 100})
			if err != nil {
				t.Fatal(err)
			}
			all := s.Addrs()
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			l, err := lender.Start(t.Context(), all[:8])
			if err != nil {
				t.Fatal(err)
			}
			for range 6 {
				_, priv, _ := ed25519.GenerateKey(nil)
				tries++
				if storeAndFind(t, l, priv, 0, 0) {
					ours++
				}
				if libraryStoreAndFind(t, l, priv, 1) {
					control++
				}
			}
			l.Stop()
			s.Stop()
		}
		name := fmt.Sprintf("hostile%d_success", percent)
		figure(name, 100*float64(ours)/float64(tries), "%")
		figure(name+"_control", 100*float64(control)/float64(tries), "%")
	}
}

// survey lets a Meeting learn the size of the network, as it does in use.
func survey(t *testing.T, l *lender.Lender) float64 {
	t.Helper()
	m := &meet.Meeting{Carrier: l}
	for range 5 {
		if _, err := m.Find(t.Context(), secret(), meet.Low); !errors.Is(err, meet.ErrNotFound) {
			t.Fatal(err)
		}
	}
	return float64(m.Size())
}

// storeAndFind stores an item as we do and reports whether we find it.
func storeAndFind(t *testing.T, l *lender.Lender, priv ed25519.PrivateKey, seq int64,
	size float64) bool {
	t.Helper()
	i := walk.Item{Key: [32]byte(priv[32:]), Seq: seq, Value: []byte(fmt.Sprint("ours ", seq))}
	i.Sig = [64]byte(ed25519.Sign(priv, walk.SigningBytes(i.Seq, i.Value)))
	for _, act := range []func(*walk.Road) error{
		func(r *walk.Road) error {
			same := func(*walk.Item) (walk.Item, bool) { return i, true }
			_, err := r.Put(t.Context(), i.Key, 0, same)
			return err
		},
		func(r *walk.Road) error {
			got, err := r.Get(t.Context(), i.Key, 3)
			if err == nil && got.Seq != i.Seq {
				err = walk.ErrNotFound
			}
			return err
		},
	} {
		conn, seeds, err := l.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := walk.Open(t.Context(), conn, seeds)
		r.Size = size
		err = act(r)
		r.Close()
		if err != nil {
			return false
		}
	}
	return true
}

func libraryStoreAndFind(t *testing.T, l *lender.Lender, priv ed25519.PrivateKey, seq int64) bool {
	t.Helper()
	key := [32]byte(priv[32:])
	target, found := bep44.MakeMutableTarget(key, nil), false
	library(t, l, func(ctx context.Context, d *dht.Server) {
		_, _ = getput.Put(ctx, target, d, nil, func(int64) bep44.Put {
			p := bep44.Put{V: "theirs", K: &key, Seq: seq}
			p.Sign(priv)
			return p
		})
	})
	library(t, l, func(ctx context.Context, d *dht.Server) {
		got, _, err := getput.Get(ctx, target, d, nil, nil)
		found = err == nil && got.Seq == seq
	})
	return found
}
