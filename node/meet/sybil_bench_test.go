// The figures of hostile nodes, each beside what the library's own getput does against the same.

//go:build bench

package meet_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/exts/getput"

	"nightjar/audit/privnet/lender"
	"nightjar/audit/privnet/swarm"
	"nightjar/node/meet"
	"nightjar/node/meet/relay"
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
				if storeAndFind(t, l, priv, 2*seq, size, false) {
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
// back, and name only each other. Whoever begins with hostile nodes alone meets no other: the bound
// is the share of tries that began with an honest one. The second of ours has stored records for an
// hour before, as in use, and knows whether they were kept.
func TestFiguresOfHostileNodes(t *testing.T) {
	for _, percent := range []int{10, 50, 90} {
		ours, wary, control, bound, tries := 0, 0, 0, 0, 0
		for range 12 {
			s, err := swarm.Start(t.Context(), swarm.Options{Nodes: nodes,
				Hostile: nodes * percent / 100})
			if err != nil {
				t.Fatal(err)
			}
			all := s.Addrs()
			honest := all[:nodes-nodes*percent/100]
			first := slices.Clone(all)
			rand.Shuffle(len(first), func(i, j int) { first[i], first[j] = first[j], first[i] })
			first = first[:8]
			l, err := lender.Start(t.Context(), first)
			if err != nil {
				t.Fatal(err)
			}
			learned := suspect(t, l)
			for range 6 {
				tries++
				for n, found := range []bool{storeAndFind(t, l, fresh(), 0, 0, false),
					storeAndFind(t, l, fresh(), 0, 0, learned),
					libraryStoreAndFind(t, l, fresh(), 0),
					slices.ContainsFunc(first, func(a netip.AddrPort) bool {
						return slices.Contains(honest, a)
					})} {
					if found {
						*[]*int{&ours, &wary, &control, &bound}[n]++
					}
				}
			}
			l.Stop()
			s.Stop()
		}
		name := fmt.Sprintf("hostile%d_success", percent)
		figure(name, 100*float64(wary)/float64(tries), "%")
		figure(name+"_at_first", 100*float64(ours)/float64(tries), "%")
		figure(name+"_control", 100*float64(control)/float64(tries), "%")
		figure(name+"_bound", 100*float64(bound)/float64(tries), "%")
	}
}

func fresh() ed25519.PrivateKey {
	_, priv, _ := ed25519.GenerateKey(nil)
	return priv
}

// walker is a way on which we walk ourselves.
type walker struct{ *lender.Lender }

func (w walker) Trip() meet.Trip { return w }

func (w walker) Relay(context.Context) (*relay.Link, error) { return nil, relay.ErrRelay }

// suspect lets a Meeting store records of ten contacts and store them again, and reports whether it
// has become wary.
func suspect(t *testing.T, l *lender.Lender) bool {
	t.Helper()
	now := time.Now()
	m := &meet.Meeting{Carrier: walker{l}, Now: func() time.Time { return now }}
	for range 10 {
		root, r := secret(), record()
		for range 2 {
			_, err := m.Publish(t.Context(), root, meet.Low, r)
			if err != nil && !errors.Is(err, meet.ErrFewStores) {
				t.Fatal(err)
			}
			now = m.Due(root, meet.Low)
		}
	}
	return m.Atlas.Wary()
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
	size float64, wary bool) bool {
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
		r.Size, r.Wary = size, wary
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
