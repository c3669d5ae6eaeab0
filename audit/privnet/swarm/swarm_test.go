// Claims about the private DHT.

package swarm

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/bep44"
)

func start(t *testing.T, o Options) *Swarm {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// ask sends one datagram to a node from a stranger's socket and returns what came back.
func ask(t *testing.T, to netip.AddrPort, packet string) string {
	t.Helper()
	c, err := net.Dial("udp4", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(packet)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2000)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

const get = "d1:ad2:id20:abcdefghij01234567896:target20:abcdefghij0123456789" +
	"4:wantl2:n4ee1:q3:get1:t2:xx1:y1:qe"

func TestEveryNodeHandsOutEightOthers(t *testing.T) {
	s := start(t, Options{})
	if n := len(s.Addrs()); n != 30 {
		t.Fatalf("%d nodes", n)
	}
	for i, a := range s.Addrs() {
		if known := s.nodes[i].server.NumNodes(); known < 12 {
			t.Errorf("node %d knows only %d", i, known)
		}
		if r := ask(t, a, get); !strings.Contains(r, "5:nodes") || !strings.Contains(r, "5:token") {
			t.Errorf("node %d answered %q", i, r)
		}
	}
}

func TestStrangersAreSeenAndNobodyElse(t *testing.T) {
	var mu sync.Mutex
	var got []Query
	s := start(t, Options{Nodes: 5, OnQuery: func(q Query) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, q)
	}})
	if n := len(s.Seen()); n != 0 {
		t.Fatalf("%d strangers before any came", n)
	}
	ask(t, s.Addrs()[3], get)
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || got[0].Node != 3 || got[0].Name != "get" ||
		string(got[0].Target[:]) != "abcdefghij0123456789" || got[0].Seq != -1 {
		t.Fatalf("recorded %+v", got)
	}
	if n := s.Seen(); len(n) != 1 || n[0] != got[0].From {
		t.Fatalf("seen %v", n)
	}
}

func TestAnswersTakeTheirTime(t *testing.T) {
	s := start(t, Options{Nodes: 2, Delay: 30 * time.Millisecond})
	at := time.Now()
	ask(t, s.Addrs()[0], get)
	if d := time.Since(at); d < 30*time.Millisecond {
		t.Fatalf("answered after %v", d)
	}
}

func TestSybilsStandAroundTheirTarget(t *testing.T) {
	for _, spread := range []bool{false, true} {
		y := Sybils{Count: 20, Target: [20]byte{1, 2, 3}, Spread: spread}
		s := start(t, Options{Nodes: 20, Sybils: y})
		nets := make(map[[2]byte]bool)
		for i, a := range s.Addrs()[20:] {
			nets[[2]byte(a.Addr().AsSlice())] = true
			id := s.nodes[20+i].server.ID()
			if [16]byte(id[:16]) != [16]byte(y.Target[:16]) {
				t.Fatalf("sybil %d is elsewhere", i)
			}
		}
		if len(nets) != map[bool]int{false: 1, true: 20}[spread] {
			t.Fatalf("they are in %d networks", len(nets))
		}
		k := strings.Repeat("k", 32) // they say they stored what no honest node would take
		r := ask(t, s.Addrs()[25], get)
		_, rest, _ := strings.Cut(r, "5:token20:")
		put := "d1:ad2:id20:abcdefghij01234567891:k32:" + k + "3:seqi1e3:sig64:" +
			strings.Repeat("s", 64) + "5:token20:" + rest[:20] + "1:v1:xe1:q3:put1:t2:yy1:y1:qe"
		if r := ask(t, s.Addrs()[25], put); !strings.Contains(r, "206") {
			t.Fatalf("a forged item: %q", r)
		}
	}
}

func TestHostileNodesNameOnlyEachOther(t *testing.T) {
	s := start(t, Options{Nodes: 20, Hostile: 10})
	names := func(i int) (n int) { // how many of those that node i names are hostile
		r := ask(t, s.Addrs()[i], get)
		_, rest, _ := strings.Cut(r, "5:nodes")
		size, list, _ := strings.Cut(rest, ":")
		for list = list[:map[string]int{"208": 208, "182": 182}[size]]; len(list) > 0; {
			for _, a := range s.Addrs()[10:] {
				if ip := a.Addr().As4(); list[20:24] == string(ip[:]) {
					n++
				}
			}
			list = list[26:]
		}
		return n
	}
	if n := names(15); n != 8 {
		t.Errorf("a hostile node names %d of its kind", n)
	}
	if n := names(3); n == 8 {
		t.Error("an honest one names only hostile ones: this test proves nothing")
	}
}

func TestKilledNodeIsGone(t *testing.T) {
	s := start(t, Options{Nodes: 3})
	s.Kill(1)
	if n := len(s.Addrs()); n != 2 {
		t.Fatalf("%d nodes left", n)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := Start(t.Context(), Options{Nodes: 10, Delay: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, were %d", runtime.NumGoroutine(), before)
		}
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if s, err := Start(ctx, Options{Nodes: 3}); err == nil {
		s.Stop()
		t.Fatal("started")
	}
}

func TestStoreIsBounded(t *testing.T) {
	_, priv, _ := ed25519.GenerateKey(nil)
	s := newStore()
	for i := range 2 * maxItems {
		item, err := bep44.NewItem("x", []byte{byte(i), byte(i >> 8)}, 1, 0, priv)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(item); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(item.Target()); err != nil {
			t.Fatal("the newest was dropped")
		}
	}
	if len(s.items) != maxItems {
		t.Fatalf("%d items", len(s.items))
	}
}
