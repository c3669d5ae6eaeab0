// Claims about the road by addresses, on an internet in memory.

package road

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nightjar/node/card"
	"nightjar/onion/inet"
	"nightjar/tunnel"
)

// echo checks that what is written to one end of two streams comes out of the other.
func (s *stage) echo(a, b tunnel.Tunnel, text string) {
	s.Helper()
	x, err := a.OpenStream(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	y, err := b.AcceptStream(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	go func() { _, _ = io.WriteString(x, text) }()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(y, got); err != nil || string(got) != text {
		s.Fatalf("%d bytes came, err %v", len(got), err)
	}
}

func TestNodesTellOurAddressAndAContactReachesIt(t *testing.T) {
	onStage(t, 4, func(s *stage) {
		x, y := s.pair(inet.Open, inet.Home)
		r := s.reach(x)
		if len(r.At) != 1 || r.At[0].Addr() != x.way.Addr() || !x.Reachable() || x.up != 1 {
			s.Fatalf("reach %v, reachable %v", r.At, x.Reachable())
		}
		s.reach(y)
		got := s.accepts(x)
		far, err := s.dial(y, r)
		if err != nil {
			s.Fatal(err)
		}
		near := within(got, time.Minute)
		s.echo(far, near, "hello")
		s.echo(near, far, strings.Repeat("long", 5000))
		far.SetClock(40 * time.Millisecond)
		near.SetClock(40 * time.Millisecond)
		s.echo(far, near, "while a clock runs")
		if err := far.SendDatagram(make([]byte, tunnel.MaxDatagram)); err != nil {
			s.Fatal(err)
		}
		if b, err := near.ReceiveDatagram(s.Context()); err != nil || len(b) != tunnel.MaxDatagram {
			s.Fatalf("%d bytes, %v", len(b), err)
		}
		beside, err := y.Beside(s.Context(), far, card.Reach{}, x.peer())
		if err != nil || within(got, time.Minute) == nil || far.Err() != nil {
			s.Fatalf("no second tunnel beside the first: %v, %v", err, far.Err())
		}
		_ = beside.Close()
	})
}

func TestCoverHidesWhetherAnythingIsSaid(t *testing.T) {
	packets := func(cover time.Duration, talk bool) (n int) {
		onStage(t, 3, func(s *stage) {
			x, y := s.pair(inet.Open, inet.Open)
			r := s.reach(x)
			s.reach(y)
			got := s.accepts(x)
			far, err := s.dial(y, r)
			if err != nil {
				s.Fatal(err)
			}
			near := within(got, time.Minute)
			Cover(far, cover)
			Cover(near, cover)
			<-time.After(time.Minute)
			before := s.net.Sent()
			end := time.Now().Add(20 * time.Minute)
			for talk && time.Now().Before(end) {
				s.echo(far, near, "a word")
				<-time.After(3 * time.Second)
			}
			<-time.After(time.Until(end))
			n = s.net.Sent() - before
		})
		return n
	}
	silent, said := packets(2*time.Second, false), packets(2*time.Second, true)
	if d := said - silent; d > silent/5 || -d > silent/5 {
		t.Errorf("%d datagrams with words, %d without", said, silent)
	}
	silent, said = packets(0, false), packets(0, true)
	if said < silent+silent/5 {
		t.Errorf("%d and %d without cover: this test proves nothing", said, silent)
	}
}

func TestStrangerHearsNothing(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		x, _ := s.pair(inet.Open, inet.Open)
		at := s.reach(x).At[0]
		stranger, err := s.net.Way(inet.Open).ListenPacket(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		defer stranger.Close()
		for _, b := range [][]byte{[]byte("d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t1:x1:y1:qe"),
			make([]byte, 1024), bytes.Repeat([]byte("d"), 1232), nil} {
			if _, err := stranger.WriteTo(b, addr(at)); err != nil {
				s.Fatal(err)
			}
		}
		stranger.SetReadDeadline(time.Now().Add(time.Minute))
		if n, _, err := stranger.ReadFrom(make([]byte, 2000)); err == nil {
			s.Errorf("a stranger hears %d bytes", n)
		}
	})
}

func TestAnswersNobodyAskedForAreNotBelieved(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		pc, err := s.net.Way(inet.Open).ListenPacket(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		w := newWire(pc, public)
		passed := make(chan int, 100)
		go func() {
			for b := make([]byte, 2000); ; {
				n, _, err := w.ReadFrom(b)
				if err != nil {
					close(passed)
					return
				}
				passed <- n
			}
		}()
		answer := make(chan netip.AddrPort, 1)
		tid, ok := w.put(netip.MustParseAddrPort("20.9.0.1:9000"), answer) // nobody is there
		if !ok {
			s.Fatal("not asked")
		}
		other, err := s.net.Way(inet.Open).ListenPacket(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		defer other.Close()
		seen := w.ask(s.Context(), s.nodes[:1])
		if len(seen) != 1 {
			s.Fatal("its own question is not answered")
		}
		lie := pong([]byte("1:t8:"+string(tid[:])), netip.MustParseAddrPort("1.2.3.4:5"))
		if _, err := other.WriteTo(lie, addr(seen[0])); err != nil {
			s.Fatal(err)
		}
		if n := <-passed; n != len(lie) || len(answer) != 0 {
			s.Error("the answer of another node was taken")
		}
		for range 2 * mostAsked {
			w.put(s.nodes[0], make(chan netip.AddrPort, 1))
		}
		if n := int(w.count.Load()); n > mostAsked || n != len(w.asked) {
			s.Errorf("%d questions wait", n)
		}
		_ = w.Close()
		for range passed {
			s.Error("an answer was let through")
		}
	})
}

func TestLiarsAmongTheNodesDoNotMoveUs(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		s.node(func(netip.AddrPort) netip.AddrPort { return netip.MustParseAddrPort("1.2.3.4:5000") })
		x, _ := s.pair(inet.Home, inet.Open)
		if r := s.reach(x); len(r.At) != 1 || r.At[0].Addr() != x.way.Addr() {
			s.Errorf("reached at %v", r.At)
		}
		<-time.After(10 * time.Minute)
		if r := s.reach(x); len(r.At) != 1 || r.At[0].Addr() != x.way.Addr() {
			s.Errorf("later reached at %v", r.At)
		}
	})
}

func TestWhereEachDestinationGetsAnotherPortWeSayNoneAndStillDial(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		x, y := s.pair(inet.Strict, inet.Open)
		r := s.reach(x)
		if len(r.At) != 0 || x.Reachable() || len(x.Warnings()) != 1 ||
			!strings.Contains(x.Warnings()[0], "another port") {
			s.Fatalf("reach %v, warnings %v", r.At, x.Warnings())
		}
		if _, err := s.dial(y, r); !errors.Is(err, ErrNowhere) {
			s.Errorf("who cannot be called is called: %v", err)
		}
		got := s.accepts(y)
		if _, err := s.dial(x, s.reach(y)); err != nil || within(got, time.Minute) == nil {
			s.Errorf("and cannot call: %v", err)
		}
	})
}

func TestRecordOfAServiceIsNotTried(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		x, _ := s.pair(inet.Open, inet.Open)
		s.reach(x)
		before := s.net.Sent()
		if _, err := s.dial(x, card.Reach{Service: strings.Repeat("a", 56), Port: 1}); !errors.Is(err,
			ErrOther) {
			s.Error(err)
		}
		if s.net.Sent() != before {
			s.Error("something was sent")
		}
	})
}

func TestNATDoesNotForgetUsWhileNobodySpeaks(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		x, y := s.pair(inet.Home, inet.Open)
		was := s.reach(x).At[0]
		s.reach(y)
		<-time.After(time.Hour)
		if at := s.reach(x).At[0]; at != was {
			s.Fatalf("an hour later at %v, was %v", at, was)
		}
		// A socket that is silent loses its port, and nobody finds it again.
		naive, err := x.way.ListenPacket(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		defer naive.Close()
		w := newWire(naive, public)
		go func() { _, _, _ = w.ReadFrom(make([]byte, 100)) }()
		first := w.ask(s.Context(), s.nodes[:1])
		<-time.After(time.Hour)
		if again := w.ask(s.Context(), s.nodes[:1]); len(first) != 1 || len(again) != 1 ||
			first[0] == again[0] {
			s.Error("the NAT keeps a silent socket's port: this test proves nothing")
		}
	})
}

func TestAnotherAddressIsNoticedAndSessionsGoOn(t *testing.T) {
	onStage(t, 4, func(s *stage) {
		x, y := s.pair(inet.Home, inet.Open)
		s.reach(x)
		got := s.accepts(y)
		far, err := s.dial(x, s.reach(y))
		if err != nil {
			s.Fatal(err)
		}
		near := within(got, time.Minute)
		for range 10 {
			moved := x.Moved()
			x.way.Move()
			begin := time.Now()
			<-moved
			if took := time.Since(begin); took > lookRare+time.Minute {
				s.Errorf("noticed after %v", took)
			}
			if r := s.reach(x); len(r.At) != 1 || r.At[0].Addr() != x.way.Addr() {
				s.Fatalf("reached at %v", r.At)
			}
			s.echo(far, near, "still there?")
			s.echo(near, far, "yes")
		}
		moved := x.Moved()
		x.way.Move()
		x.Renew() // the system said so
		begin := time.Now()
		<-moved
		if took := time.Since(begin); took > 5*time.Second {
			s.Errorf("told, it noticed after %v", took)
		}
	})
}

func TestSocketThatFailsIsReplaced(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		x, y := s.pair(inet.Open, inet.Open)
		was := s.reach(x).At[0]
		s.reach(y)
		moved := x.Moved()
		x.mu.Lock()
		e := x.end
		x.mu.Unlock()
		_ = e.Close()
		<-moved
		at := s.reach(x).At
		if len(at) != 1 || at[0] == was {
			s.Fatalf("reached at %v, was %v", at, was)
		}
		got := s.accepts(x)
		if _, err := s.dial(y, s.reach(x)); err != nil || within(got, time.Minute) == nil {
			s.Error(err)
		}
	})
}

// Two homes: each NAT lets in only who was sent to.
func TestTwoBehindNATsMeetAtTheirMoments(t *testing.T) {
	meets := func(aligned bool) (met bool, after time.Duration) {
		onStage(t, 5, func(s *stage) {
			x, y := s.pair(inet.Home, inet.Home)
			rx, ry := s.reach(x), s.reach(y)
			begin := time.Now()
			done := make(chan bool, 2)
			ctx, cancel := context.WithTimeout(s.Context(), time.Hour)
			defer cancel()
			for i, p := range []*someone{x, y} {
				to := []card.Reach{ry, rx}[i]
				go func() {
					ok := false
					defer func() { done <- ok }()
					for n := 0; ctx.Err() == nil && !ok; n++ {
						// Unaligned, each has a rhythm of its own: when one knocks the other's NAT
						// has forgotten it.
						wait := 4 * time.Minute
						if n == 0 {
							wait = time.Duration(i) * 150 * time.Second
						}
						if aligned {
							now := time.Now()
							wait = Moment(x.peer().Root, now, false).Sub(now) - clockAhead(i)
						}
						if pause(ctx, wait, nil); ctx.Err() == nil {
							_, err := s.dial(p, to)
							ok = err == nil
						}
					}
				}()
			}
			if met = <-done; met {
				after = time.Since(begin)
			}
			cancel()
		})
		return met, after
	}
	if met, after := meets(true); !met || after > 6*time.Minute {
		t.Errorf("at their moments they met: %v, after %v", met, after)
	} else {
		t.Log("met after", after)
	}
	if met, _ := meets(false); met {
		t.Error("they meet at any moments: this test proves nothing")
	}
}

// clockAhead is by how much the second's clock is ahead.
func clockAhead(i int) time.Duration { return time.Duration(i) * 20 * time.Second }
