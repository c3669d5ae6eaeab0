//go:build bench

// What a thousand sessions cost that are not used, and what voice feels of bulk beside it.

package tunnel

import (
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestFiguresOfAThousandIdleSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sessions = 1000
		c := newContacts(t)
		var all []*Conn
		for range sessions {
			ca, cb := net.Pipe()
			a, b := c.connect(t, ca, cb)
			all = append(all, a, b)
		}
		synctest.Wait()
		before := cpu()
		<-time.After(20 * time.Minute)
		synctest.Wait()
		spent := 3 * (cpu() - before) // an hour
		figure("tunnel.idle_cpu_thousand", spent.Seconds()*1000/3600/2,
			"ms of processor a second for 1000 idle sessions, one side")
		for _, conn := range all {
			if conn.Err() != nil {
				t.Error(conn.Err())
			}
			conn.Close()
		}
	})
}

// voiceTimes says a word each 20 ms for a while and returns how long each took, in ms.
func voiceTimes(t *testing.T, a, b *Conn) (took []float64) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 400 {
		<-tick.C
		start := time.Now()
		a.SendDatagram(make([]byte, 160))
		if _, err := b.ReceiveDatagram(t.Context()); err != nil {
			t.Fatal(err)
		}
		took = append(took, float64(time.Since(start).Microseconds())/1000)
	}
	slices.Sort(took)
	return took
}

// Voice on one TCP connection of loopback, while another carries all that it can.
func TestFiguresOfVoiceBesideBulk(t *testing.T) {
	c := newContacts(t)
	ca, cb := tcpPair(t)
	a, b := c.connect(t, ca, cb)
	alone := voiceTimes(t, a, b)
	ca, cb = tcpPair(t)
	bulkA, bulkB := c.connect(t, ca, cb)
	s, err := bulkA.OpenStream(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan int64)
	go func() {
		for buf := make([]byte, 32<<10); ; {
			if _, err := s.Write(buf); err != nil {
				return
			}
		}
	}()
	far, err := bulkB.AcceptStream(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		n, _ := io.Copy(io.Discard, far)
		done <- n
	}()
	start := time.Now()
	beside := voiceTimes(t, a, b)
	took := time.Since(start)
	bulkA.Close()
	bulkB.Close()
	p99 := len(alone) * 99 / 100
	figure("tunnel.voice_alone_p99", alone[p99], "ms")
	figure("tunnel.voice_beside_bulk_p99", beside[p99], "ms, bulk on another connection")
	figure("tunnel.bulk_beside_voice", float64(<-done)*8/1e6/took.Seconds(), "Mbit/s of that bulk")
	a.Close()
	b.Close()
}
