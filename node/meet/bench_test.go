// The figures of meeting, each beside what the library's own getput does in the same run.

//go:build bench

package meet_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/exts/getput"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/log"
	"golang.org/x/time/rate"

	"nightjar/audit/privnet/lender"
	"nightjar/audit/privnet/swarm"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/meet/relay"
)

const (
	nodes = 50
	trip  = 40 * time.Millisecond // of the DHT, beyond the gateway

	rounds = 5  // each with a swarm of its own; figures are medians of them
	runs   = 30 // in a round
)

// figure prints one figure as the house collects them.
func figure(name string, value float64, unit string) {
	fmt.Printf("FIGURE meeting.%s %.1f %s\n", name, value, unit)
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds()) / 1000
}

func secret() (b [32]byte) {
	rand.Read(b[:])
	return b
}

func place(t *testing.T, delay time.Duration) (*swarm.Swarm, *lender.Lender) {
	t.Helper()
	s, err := swarm.Start(t.Context(), swarm.Options{Nodes: nodes, Delay: delay})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	l, err := lender.Start(t.Context(), s.Addrs()[:8])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	return s, l
}

func record() card.Reach {
	return card.Reach{Auth: secret(), Expires: time.Now().Add(24 * time.Hour)}
}

// series are the figures of one name, one for each round.
type series map[string][]float64

func (s series) add(name string, v float64) { s[name] = append(s[name], v) }

// print prints the median of each, and the lowest and the highest.
func (s series) print(unit map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		v := slices.Sorted(slices.Values(s[name]))
		u := unit[name]
		if u == "" {
			u = "ms"
		}
		figure(name, v[len(v)/2], u)
		figure(name+"_low", v[0], u)
		figure(name+"_high", v[len(v)-1], u)
	}
}

// TestFiguresOfFindingEachOther takes turns with the library, in rounds of a swarm each.
func TestFiguresOfFindingEachOther(t *testing.T) {
	all := series{}
	for range rounds {
		s, l := place(t, trip)
		m := &meet.Meeting{Carrier: l}
		var ours, theirs times
		for range runs {
			ours.run(t, m)
			theirs.library(t, s, l)
		}
		for prefix, x := range map[string]*times{"": &ours, "control_": &theirs} {
			all.add(prefix+"put_p50_ms", median(x.put))
			all.add(prefix+"get_p50_ms", median(x.get))
			all.add(prefix+"miss_p50_ms", median(x.miss))
			all.add(prefix+"acks_mean", float64(x.acks)/runs)
			all.add(prefix+"lost", 100*float64(x.lost)/runs)
		}
		l.Stop()
		s.Stop()
	}
	all.print(map[string]string{"acks_mean": "nodes", "control_acks_mean": "nodes",
		"lost": "%", "control_lost": "%"})
}

// times are those of one round.
type times struct {
	put, get, miss []time.Duration
	acks, lost     int
}

// run stores a record as we do, finds it, and looks for one that is not there.
func (x *times) run(t *testing.T, m *meet.Meeting) {
	t.Helper()
	root, at := secret(), time.Now()
	n, err := m.Publish(t.Context(), root, meet.Low, record())
	if err != nil {
		t.Fatal(err)
	}
	x.put, at, x.acks = append(x.put, time.Since(at)), time.Now(), x.acks+n
	if _, err := m.Find(t.Context(), root, meet.Low); err != nil {
		x.lost++
	}
	x.get, at = append(x.get, time.Since(at)), time.Now()
	if _, err := m.Find(t.Context(), root, meet.High); !errors.Is(err, meet.ErrNotFound) {
		t.Fatal(err)
	}
	x.miss = append(x.miss, time.Since(at))
}

// bare is a way to the DHT without a gateway.
type bare []netip.AddrPort

func (b bare) Trip() meet.Trip { return b }

func (b bare) Relay(context.Context) (*relay.Link, error) { return nil, relay.ErrRelay }

func (b bare) Open(context.Context) (net.PacketConn, []netip.AddrPort, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	return c, b, err
}

// framed is a way through a gateway on which we walk ourselves.
type framed struct{ *lender.Lender }

func (f framed) Trip() meet.Trip { return f }

func (f framed) Relay(context.Context) (*relay.Link, error) { return nil, relay.ErrRelay }

// TestFiguresOfThePath counts what a put and a get cost in round trips of the path, when the path
// takes 300 ms for one, beyond what they cost without a path. Circuits are there already.
func TestFiguresOfThePath(t *testing.T) {
	const far, tries = 300 * time.Millisecond, 11
	s, l := place(t, trip)
	l.Delay(far)
	measure := func(c meet.Carrier) (put, get float64) {
		m := &meet.Meeting{Carrier: c}
		var puts, gets []time.Duration
		for range tries {
			root, at := secret(), time.Now()
			if _, err := m.Publish(t.Context(), root, meet.Low, record()); err != nil {
				t.Fatal(err)
			}
			puts, at = append(puts, time.Since(at)), time.Now()
			if _, err := m.Find(t.Context(), root, meet.Low); err != nil {
				t.Fatal(err)
			}
			gets = append(gets, time.Since(at))
		}
		return median(puts), median(gets)
	}
	put, get := measure(l)
	ownPut, ownGet := measure(framed{l})
	barePut, bareGet := measure(bare(s.Addrs()[:8]))
	rtts := func(ms, bare float64) float64 { return (ms - bare) / float64(far.Milliseconds()) }
	figure("gateway_rtts", max(rtts(put, barePut), rtts(get, bareGet)), "trips")
	figure("gateway_rtts_put", rtts(put, barePut), "trips")
	figure("gateway_rtts_get", rtts(get, bareGet), "trips")
	figure("gateway_rtts_put_own_walk", rtts(ownPut, barePut), "trips")
	figure("gateway_rtts_get_own_walk", rtts(ownGet, bareGet), "trips")
}

// library does the same as run with the library's own getput.
func (x *times) library(t *testing.T, s *swarm.Swarm, l *lender.Lender) {
	t.Helper()
	_, priv, _ := ed25519.GenerateKey(nil)
	key := [32]byte(priv.Public().(ed25519.PublicKey))
	target := bep44.MakeMutableTarget(key, nil)
	x.put = append(x.put, library(t, l, func(ctx context.Context, d *dht.Server) {
		value := make([]byte, 695)
		rand.Read(value)
		_, err := getput.Put(ctx, target, d, nil, func(seq int64) bep44.Put {
			p := bep44.Put{V: string(value), K: &key, Seq: seq + 1}
			p.Sign(priv)
			return p
		})
		if err != nil {
			t.Error(err)
		}
	}))
	x.acks += holders(t, s, target)
	x.get = append(x.get, library(t, l, func(ctx context.Context, d *dht.Server) {
		if _, _, err := getput.Get(ctx, target, d, nil, nil); err != nil {
			x.lost++
		}
	}))
	x.miss = append(x.miss, library(t, l, func(ctx context.Context, d *dht.Server) {
		if _, _, err := getput.Get(ctx, nowhere(), d, nil, nil); err == nil {
			t.Error("found what is not there")
		}
	}))
}

func nowhere() [20]byte { return bep44.MakeMutableTarget(secret(), nil) }

// library runs f with a bare server of the library over a stream to the gateway, and returns how
// long f took.
func library(t *testing.T, l *lender.Lender, f func(context.Context, *dht.Server)) time.Duration {
	t.Helper()
	conn, seeds, err := l.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.NewLogger()
	quiet.SetHandlers(log.DiscardHandler)
	d, err := dht.NewServer(&dht.ServerConfig{
		Conn: conn, NodeId: krpc.RandomNodeID(), NoSecurity: true, Passive: true,
		StartingNodes: func() (out []dht.Addr, _ error) {
			for _, a := range seeds {
				out = append(out, dht.NewAddr(net.UDPAddrFromAddrPort(a)))
			}
			return out, nil
		},
		DefaultWant: []krpc.Want{krpc.WantNodes}, Store: bep44.NewMemory(), Exp: time.Hour,
		SendLimiter: rate.NewLimiter(200, 200), Logger: quiet,
		QueryResendDelay: func() time.Duration { return 4 * time.Second },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	at := time.Now()
	f(ctx, d)
	return time.Since(at)
}

// holders asks every node whether it holds an item: the library does not count.
func holders(t *testing.T, s *swarm.Swarm, target [20]byte) (n int) {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	q := "d1:ad2:id20:abcdefghij01234567896:target20:" + string(target[:]) +
		"e1:q3:get2:roi1e1:t2:aa1:y1:qe"
	for _, a := range s.Addrs() {
		if _, err := c.WriteToUDPAddrPort([]byte(q), a); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 2000)
	for range s.Addrs() {
		if err := c.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		size, _, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b[:size]), "1:v695:") {
			n++
		}
	}
	return n
}

// TestFiguresOfAnHour counts what 50 contacts that are away cost in one hour, which begins at
// another time of the epoch for each: records are stored when they are due, and each contact is
// looked for every 30 minutes. The hours before it bring the plan into its stride.
func TestFiguresOfAnHour(t *testing.T) {
	const contacts, before = 50, 7 * time.Hour
	_, l := place(t, 0)
	total := int64(0)
	for i := range contacts {
		start := time.Now().Add(time.Duration(i) * 6 * time.Hour / contacts)
		now := start
		m := &meet.Meeting{Carrier: l, Now: func() time.Time { return now }}
		root, r := secret(), record()
		r.Expires = start.Add(24 * time.Hour)
		for now.Before(start.Add(before + time.Hour)) {
			carried := l.Bytes()
			if _, err := m.Publish(t.Context(), root, meet.Low, r); err != nil {
				t.Fatal(err)
			}
			if now.After(start.Add(before)) {
				total += l.Bytes() - carried
			}
			now = m.Due(root, meet.Low)
		}
		carried := l.Bytes()
		for half := range 2 {
			now = start.Add(before + time.Duration(half)*30*time.Minute)
			if _, err := m.Find(t.Context(), root, meet.High); !errors.Is(err, meet.ErrNotFound) {
				t.Fatal(err)
			}
		}
		total += l.Bytes() - carried
	}
	figure("hour_bytes_50", float64(total), "bytes")
}
