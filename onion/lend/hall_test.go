// A flood of streams does not keep others out, and does not grow.

package lend

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const tripTime = time.Second // of the path, there and back

// A flood is what those do who want to keep others out, so many streams a second. Others come in
// the second half of its time.
type flood struct {
	does func(stream net.Conn, over <-chan struct{})
	rate int
	time time.Duration
}

// silent never says a word.
func silent(stream net.Conn, over <-chan struct{}) {
	stream.SetReadDeadline(time.Now().Add(time.Hour))
	stream.Read(make([]byte, 1))
	stream.Close()
}

// polite asks one thing, as anybody would, and stays.
func polite(stream net.Conn, over <-chan struct{}) {
	c := NewPacketConn(stream)
	defer c.Close()
	c.WriteTo([]byte("query"), udpAddr("1.2.3.4:6881"))
	select {
	case <-c.Lost():
	case <-over:
	}
}

// busy asks again and again.
func busy(stream net.Conn, over <-chan struct{}) {
	c := NewPacketConn(stream)
	defer c.Close()
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		c.WriteTo([]byte("query"), udpAddr("1.2.3.4:6881"))
		select {
		case <-c.Lost():
			return
		case <-over:
			return
		case <-tick.C:
		}
	}
}

// walk is what an honest client does: it speaks after the round trip that it takes to hear that the
// stream is open, and then walks for 4 s. It reports whether it could.
func walk(stream net.Conn) bool {
	<-time.After(tripTime)
	c := NewPacketConn(stream)
	defer c.Close()
	for i := range 8 {
		c.WriteTo([]byte("query"), udpAddr(netip.AddrPortFrom(
			netip.AddrFrom4([4]byte{9, 9, 9, byte(i)}), 6881).String()))
		select {
		case <-c.Lost():
			return false
		case <-time.After(500 * time.Millisecond):
		}
	}
	return true
}

// outcome of a flood.
type outcome struct {
	share   float64 // of honest walks that came to their end
	streams int     // the most at a time
	memory  uint64  // bytes in use at the end of the flood, with those who make it
}

// flooded lets a flood and honest clients come to a gateway.
func flooded(t *testing.T, f flood, naive bool) (o outcome) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		s.g.open = func(context.Context) (udpSocket, error) { return newMemoryUDP(), nil }
		if naive {
			s.g.hall.manners = func(map[*guest]bool, time.Time) *guest { return nil }
		}
		over, began := make(chan struct{}), time.Now()
		var all sync.WaitGroup
		var came, done atomic.Int64
		tick := time.NewTicker(time.Second / time.Duration(f.rate))
		for i := 0; time.Since(began) < f.time; i++ {
			<-tick.C
			stream := s.client()
			if half := time.Since(began) > f.time/2; half && i%(f.rate/10) == 0 {
				came.Add(1)
				all.Go(func() {
					if walk(stream) {
						done.Add(1)
					}
				})
				continue
			}
			all.Go(func() { f.does(stream, over) })
			o.streams = max(o.streams, s.g.Stats().Streams)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		o.memory = m.HeapInuse + m.StackInuse
		<-time.After(10 * time.Second)
		close(over)
		s.end(t)
		all.Wait()
		o.share = float64(done.Load()) / float64(came.Load())
	})
	return o
}

func TestFloodLeavesRoomForOthers(t *testing.T) {
	for _, c := range []struct {
		name  string
		flood flood
		least float64 // share of honest walks
	}{
		{"silent", flood{silent, 1000, 20 * time.Second}, 0.2},
		{"polite", flood{polite, 500, 44 * time.Second}, 0.02},
		{"busy", flood{busy, 100, 130 * time.Second}, 0.02},
	} {
		got := flooded(t, c.flood, false)
		t.Logf("%s: %.1f %% of walks end well, at most %d streams, %d MB", c.name, 100*got.share,
			got.streams, got.memory>>20)
		if got.share < c.least || got.streams > maxLent || got.memory > 128<<20 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	got := flooded(t, flood{silent, 200, 20 * time.Second}, true)
	if got.share > 0.05 {
		t.Errorf("a gateway without manners serves %.2f too: this test proves nothing", got.share)
	}
}

func TestWhoHasLeastToDoGoesFirst(t *testing.T) {
	now := time.Now()
	at := func(came, spoke time.Duration) *guest {
		g := &guest{begun: now.Add(-came)}
		if spoke > 0 {
			g.hears(now.Add(-spoke))
		}
		return g
	}
	fresh, walking := at(silentTime/2, 0), at(50*time.Second, time.Second)
	old, quiet, mute := at(10*time.Minute, time.Second), at(time.Minute, 30*time.Second),
		at(5*time.Second, 0)
	guests := map[*guest]bool{fresh: true, walking: true, old: true, quiet: true, mute: true,
		at(4*time.Second, 0): true}
	for i, want := range []*guest{mute, nil, quiet, old, nil} {
		got := politest(guests, now)
		if i != 1 && got != want {
			t.Fatalf("guest %d to go: %+v", i, got)
		}
		delete(guests, got)
	}
}

func TestQuietHouseShowsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, Config{})
		defer s.end(t)
		c := NewPacketConn(s.client())
		defer c.Close()
		c.WriteTo([]byte("query"), udpAddr("1.2.3.4:6881"))
		select {
		case <-c.Lost():
			t.Error("it had to go though there is room")
		case <-time.After(lentIdle - time.Second):
		}
	})
}
