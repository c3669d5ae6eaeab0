//go:build bench

// The figures of the path: "go test -tags bench -run Figures -v ./onion". Each line
// "FIGURE name value unit" has its control measured in the same run, on the same private network.

package onion_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/proxy"

	"nightjar/onion"
	"nightjar/onion/torproc"
)

func figure(name string, value float64, unit string) {
	fmt.Printf("FIGURE %s %.3g %s\n", name, value, unit)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// source publishes a service that sends without end, on port 7.
func source(t *testing.T, tor *onion.Tor) onion.Remote {
	t.Helper()
	l, err := tor.Publish(t.Context(), onion.Service{Port: 7, Seed: [32]byte{77}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for b := make([]byte, 64<<10); ; {
					if _, err := c.Write(b); err != nil {
						return
					}
				}
			}()
		}
	}()
	<-l.Published()
	return onion.Remote{ID: l.ID(), Port: 7}
}

// bare dials by the same tor's SOCKS socket with nothing of ours in between.
func bare(t *testing.T, tor *onion.Tor, to onion.Remote, user string) net.Conn {
	t.Helper()
	d, err := proxy.SOCKS5("unix", tor.Socks(), &proxy.Auth{User: user, Password: "0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Dial("tcp", fmt.Sprintf("%s.onion:%d", to.ID, to.Port))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ours dials by the path.
func ours(t *testing.T, tor *onion.Tor, to onion.Remote, iso onion.Isolation) net.Conn {
	t.Helper()
	c, err := tor.Dial(t.Context(), to, iso)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFiguresOfDials(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	to := source(t, there)
	dial(t, here, to, "").Close() // fetches the descriptor
	var own, control []time.Duration
	for i := range 21 {
		begun := time.Now()
		ours(t, here, to, onion.NewIsolation()).Close()
		own = append(own, time.Since(begun))
		begun = time.Now()
		bare(t, here, to, fmt.Sprint("bare", i)).Close()
		control = append(control, time.Since(begun))
	}
	figure("onion.dial_ms", median(own).Seconds()*1000, "ms")
	figure("onion.dial_ratio", float64(median(own))/float64(median(control)), "times a bare dial")
}

const span = 4 * time.Second

// rate reads from streams for a while, and returns bytes per second over all.
func rate(streams ...net.Conn) float64 {
	var wg sync.WaitGroup
	read := make([]int64, len(streams))
	begun := time.Now()
	for i, c := range streams {
		wg.Go(func() {
			defer c.Close()
			c.SetReadDeadline(begun.Add(span))
			read[i], _ = io.Copy(io.Discard, c)
		})
	}
	wg.Wait()
	var sum int64
	for _, n := range read {
		sum += n
	}
	return float64(sum) / time.Since(begun).Seconds()
}

func TestFiguresOfStreams(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	to := source(t, there)
	dial(t, here, to, "").Close()
	var ratios, fours []float64
	best := 0.0
	for i := range 3 {
		control := rate(bare(t, here, to, fmt.Sprint("bare", i)))
		one := rate(ours(t, here, to, ""))
		var four []net.Conn
		for range 4 {
			four = append(four, ours(t, here, to, ""))
		}
		ratios = append(ratios, one/control)
		fours = append(fours, rate(four...)/one)
		best = max(best, one)
	}
	slices.Sort(ratios)
	slices.Sort(fours)
	figure("onion.stream_mbyte", best/1e6, "MB/s")
	figure("onion.stream_ratio", ratios[1], "times a bare stream")
	figure("onion.parallel4_ratio", fours[1], "times one stream")
}

func TestFiguresOfRecovery(t *testing.T) {
	there, here := keepTor(t), keepTor(t)
	l := echo(t, there, onion.Service{})
	to := onion.Remote{ID: l.ID(), Port: 7}
	back(t, here, to)
	var own, service, control []time.Duration
	for range 5 {
		begun := time.Now()
		plain := startTor(t, nil)
		control = append(control, time.Since(begun))
		plain.Close()
		here.Kill()
		own = append(own, back(t, here, to))
		there.Kill()
		service = append(service, back(t, here, to))
	}
	figure("onion.start_s", median(control).Seconds(), "s for tor's own start")
	figure("onion.recover_s", median(own).Seconds(), "s until our tor dials again")
	figure("onion.service_recover_s", median(service).Seconds(), "s until a service is reached again")
}

func TestFiguresOfWaiting(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	l := echo(t, there, onion.Service{})
	c := dial(t, here, onion.Remote{ID: l.ID(), Port: 7}, "")
	defer c.Close()
	var trips []time.Duration
	b := make([]byte, 1)
	for range 200 {
		begun := time.Now()
		c.Write(b)
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatal(err)
		}
		trips = append(trips, time.Since(begun))
	}
	figure("onion.round_trip_ms", median(trips).Seconds()*1000, "ms, loopback")
	ctx, cancel := context.WithCancel(t.Context())
	begun := time.Now()
	cancel()
	here.Dial(ctx, onion.Remote{ID: l.ID(), Port: 7}, "")
	figure("onion.cancel_ms", time.Since(begun).Seconds()*1000, "ms until a cancelled dial ends")
}

// TestFiguresOfAStoppedGuard has the relay by which a tor enters stand still, as a machine does
// that hangs: its connections stay, and nothing comes. The control is a tor that nobody replaces.
func TestFiguresOfAStoppedGuard(t *testing.T) {
	there := startTor(t, nil)
	to := onion.Remote{ID: echo(t, there, onion.Service{}).ID(), Port: 7}
	for name, here := range map[string]*onion.Tor{"onion.guard_stopped_s": keepTor(t),
		"onion.guard_stopped_alone_s": startTor(t, nil)} {
		back(t, here, to)
		guard, _ := guardOf(t, here)
		resume, found := network.Stall(guard)
		if !found {
			t.Fatal("the guard is no relay of this network")
		}
		begun, limit := time.Now(), 2*time.Minute
		for time.Since(begun) < limit {
			ctx, cancel := context.WithTimeout(t.Context(), limit-time.Since(begun))
			c, err := here.Dial(ctx, to, "")
			cancel()
			if err == nil {
				c.Close()
				break
			}
		}
		figure(name, time.Since(begun).Seconds(), "s until dialled again; 120 is not at all")
		resume()
		back(t, there, to)
	}
}

// TestFiguresOfALostNetwork cuts a tor off as when a cable is out, until that is noticed, and
// measures from when it is back. The control is what it takes to start one, to publish, and to be
// dialled: tor's own part of it.
func TestFiguresOfALostNetwork(t *testing.T) {
	there := startTor(t, nil)
	start := func(changed func(torproc.Notice)) (*onion.Tor, onion.Remote) {
		here, err := onion.StartTor(t.Context(), onion.TorConfig{Dir: short(t), Exe: markedTor(t),
			Options: network.Torrc(), Keep: true, Changed: changed})
		if err != nil {
			t.Fatal(err)
		}
		to := onion.Remote{ID: echo(t, here, onion.Service{}).ID(), Port: 7}
		back(t, there, to)
		return here, to
	}
	var lost, own []time.Duration
	for range 3 {
		begun := time.Now()
		plain, _ := start(nil)
		own = append(own, time.Since(begun))
		plain.Close()
		silent := make(chan bool, 8)
		here, to := start(func(n torproc.Notice) {
			if n == torproc.Ended {
				silent <- true
			}
		})
		unblock := block(t, every, "drop")
		<-silent
		unblock()
		lost = append(lost, back(t, there, to))
		here.Close()
	}
	figure("onion.start_published_s", median(own).Seconds(), "s for tor's own start, publication, dial")
	figure("onion.network_back_s", median(lost).Seconds(), "s until reached again, network back")
}

// short makes a directory for a tor.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
