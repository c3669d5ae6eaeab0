//go:build bench && linux

// How fast a session over datagrams is: against the bare AEAD on one core, and against a pair of
// WireGuard devices in the same run.
//
// Each ratio is given three times: the best of nine runs of either by the clock on the wall, which
// other work on the machine spoils least; the median of nine ratios by that clock; and by processor
// time, which says what it would be alone on two cores: a session's rate is then that of its busier
// side, the devices' that of both cores in full.
//
// WireGuard is driven in two ways, and the session in the same one beside it: by a window, as any
// sender with congestion control drives it; and flooded, so that it loses what it cannot carry.

package tunnel_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"nightjar/tunnel/datagram"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/sys/unix"
)

// span is how long one measurement of a rate lasts.
const span = 400 * time.Millisecond

// A speed is packets in a second, by the wall and by processor time.
type speed struct{ wall, alone float64 }

// bare is how fast one core seals packets of that size.
func bare(t testing.TB, size int) speed {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	aead, err := chacha20poly1305.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	var nonce [12]byte
	plain, sealed := make([]byte, size), make([]byte, 0, size+aead.Overhead())
	start, before, n := time.Now(), spent(unix.RUSAGE_THREAD), 0
	for time.Since(start) < span/2 {
		for range 500 {
			n++
			binary.LittleEndian.PutUint64(nonce[4:], uint64(n))
			sealed = aead.Seal(sealed[:0], nonce[:], plain, nil)
		}
	}
	cpu := spent(unix.RUSAGE_THREAD) - before
	return speed{float64(n) / time.Since(start).Seconds(), float64(n) / cpu.Seconds()}
}

// How many bytes a window lets be on the way: of each tunnel's what suits it best here. flooded is
// that there is no window.
const (
	ahead      = 3 << 19
	guardAhead = 3 << 18
	flooded    = 0
)

// A window holds a sender back while too much is on the way.
type window struct {
	bytes int
	sent  int64
	came  atomic.Int64
	moved chan struct{} // holds one when something came
	lost  *time.Timer
}

func newWindow(bytes int) *window {
	return &window{bytes: bytes, moved: make(chan struct{}, 1), lost: time.NewTimer(0)}
}

// took notes that n packets came.
func (w *window) took(n int) {
	w.came.Add(int64(n))
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

// wait returns when n more packets of that size may leave. When nothing comes for a while what is
// on the way is lost.
func (w *window) wait(n, size int) {
	for w.bytes != flooded && w.sent+int64(n)-w.came.Load() > int64(w.bytes/size) {
		w.lost.Reset(20 * time.Millisecond)
		select {
		case <-w.moved:
		case <-w.lost.C:
			w.sent = w.came.Load()
		}
	}
	w.sent += int64(n)
}

// rate is how fast a session carries datagrams of that size, and how many objects each allocates.
func rate(t testing.TB, a, b *datagram.Conn, size, bytes int) (got speed, allocs float64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const row = 64
	ctx, cancel := context.WithCancel(context.Background())
	w, ended := newWindow(bytes), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			r, err := b.ReceiveRow(ctx)
			if err != nil {
				return
			}
			n := len(r.Datagrams)
			r.Release()
			w.took(n)
		}
	}()
	out := make([][]byte, row)
	for i := range out {
		out[i] = make([]byte, size)
	}
	drive := func(span time.Duration) (s speed, came int64) {
		start, before := time.Now(), w.came.Load()
		all, mine := spent(unix.RUSAGE_SELF), spent(unix.RUSAGE_THREAD)
		for time.Since(start) < span {
			w.wait(row, size)
			if err := a.SendDatagrams(out); err != nil {
				t.Fatal(err)
			}
		}
		came = w.came.Load() - before
		mine = spent(unix.RUSAGE_THREAD) - mine
		busier := max(mine, spent(unix.RUSAGE_SELF)-all-mine)
		return speed{float64(came) / time.Since(start).Seconds(),
			float64(came) / busier.Seconds()}, came
	}
	drive(span / 4) // until every buffer has grown
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	got, came := drive(span)
	runtime.ReadMemStats(&m1)
	cancel()
	<-ended
	return got, float64(m1.Mallocs-m0.Mallocs) / float64(came)
}

func TestFiguresOfDatagramRates(t *testing.T) {
	for _, size := range []int{200, 1200} {
		say := func(name string, value float64, unit string) {
			figureOf(fmt.Sprintf("tunnel.%s_%d", name, size), value, unit)
		}
		var limits, ours, oursFlooded, theirs, theirsFlooded []speed
		var allocs []float64
		for range 9 {
			a, b, end := overUDP(t)
			limits = append(limits, bare(t, size))
			s, n := rate(t, a, b, size, ahead)
			ours, allocs = append(ours, s), append(allocs, n)
			s, _ = rate(t, a, b, size, flooded)
			oursFlooded = append(oursFlooded, s)
			end()
			theirs = append(theirs, wireguard(t, size, guardAhead))
			theirsFlooded = append(theirsFlooded, wireguard(t, size, flooded))
		}
		say("rate", best(ours), "packets/s")
		say("allocs_per_packet", median(allocs), "allocs")
		against := func(name, unit string, a, b []speed) {
			say(name, best(a)/best(b), unit+", best of nine each")
			say(name+"_median", ratio(a, b, speed.onWall), unit+", median of nine ratios")
			say(name+"_alone", ratio(a, b, speed.byCPU), unit+", by processor time")
		}
		against("limit_ratio", "of one core's Seal", ours, limits)
		against("wireguard_ratio", "times wireguard-go, both by a window", ours, theirs)
		against("wireguard_flooded_ratio", "times wireguard-go, both flooded", oursFlooded,
			theirsFlooded)
	}
}

func (s speed) onWall() float64 { return s.wall }
func (s speed) byCPU() float64  { return s.alone }

// best is the best by the clock on the wall.
func best(all []speed) float64 {
	return slices.MaxFunc(all, func(a, b speed) int { return cmp.Compare(a.wall, b.wall) }).wall
}

// ratio is the median of the ratios of runs that followed each other.
func ratio(a, b []speed, of func(speed) float64) float64 {
	var all []float64
	for i := range a {
		all = append(all, of(a[i])/of(b[i]))
	}
	return median(all)
}
