// Claims about the guard, and what becomes of the library without one.

package walk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/exts/getput"
)

const (
	anID = "2:id20:abcdefghij0123456789"
	aSig = "3:sig64:ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
)

// unasked are packets that nobody asked for. Each ends a process in which the library reads it.
var unasked = map[string]string{
	"query with an address of one byte": "d2:ip1:x1:q4:ping1:t1:a1:y1:qe",
	"query with an empty address":       "d2:ip0:1:q4:ping1:t1:a1:y1:qe",
	"answer with a peer of one byte":    "d1:rd" + anID + "6:valuesl1:xee1:t1:a1:y1:re",
	"put without arguments":             "d1:q3:put1:t1:a1:y1:qe",
	"announce without arguments":        "d1:q13:announce_peer1:t1:a1:y1:qe",
}

// bodies of answers to a get that was asked. "%k" becomes the key that was asked for.
var answers = map[string]string{
	"item without seq":     anID + "1:k32:%k5:token1:x1:v1:x",
	"a peer of one byte":   anID + "6:valuesl1:xe",
	"odd nodes":            anID + "5:nodes7:abcdefg",
	"nodes of port 0":      anID + "5:nodes26:" + strings.Repeat("\x0a", 24) + "\x00\x00",
	"a hundred nodes":      anID + "5:nodes2600:" + strings.Repeat("n", 2600),
	"nodes6":               anID + "6:nodes638:" + strings.Repeat("n", 38),
	"no id":                "5:token1:x",
	"short id":             "2:id2:ab",
	"id is a number":       "2:idi5e",
	"id twice":             anID + anID,
	"negative seq":         anID + "1:k32:%k3:seqi-1e" + aSig + "1:v1:x",
	"seq too large":        anID + "3:seqi99999999999999999999e",
	"seq with a zero":      anID + "3:seqi01e",
	"value too large":      anID + "1:k32:%k3:seqi1e" + aSig + "1:v999:" + strings.Repeat("x", 999),
	"value of lists":       anID + "1:k32:%k3:seqi1e" + aSig + "1:vllleee",
	"deep value":           anID + "1:v" + strings.Repeat("l", 400) + strings.Repeat("e", 400),
	"token is a list":      anID + "5:tokenle",
	"long token":           anID + "5:token65:" + strings.Repeat("t", 65),
	"length with a zero":   "2:id020:abcdefghij0123456789",
	"length of a gigabyte": "2:id1000000000:a",
	"cut off":              anID + "1:v",
	"signature of nobody":  anID + "1:k32:%k3:seqi1e" + aSig + "1:v1:x",
}

func hostile(q sent, body string) []byte {
	k := "abcdefghijabcdefghijabcdefghij01"
	t := q.d.get("t")
	return []byte("d1:rd" + strings.ReplaceAll(body, "%k", k) + "e1:t" + string(t) + "1:y1:re")
}

func TestHostilePacketsAreHarmless(t *testing.T) {
	for name, packet := range unasked {
		t.Run(name, func(t *testing.T) { survives(t, func(sent) []byte { return []byte(packet) }) })
		t.Run(name+", right transaction", func(t *testing.T) {
			survives(t, func(q sent) []byte {
				return []byte(strings.Replace(packet, "1:t1:a", "1:t"+string(q.d.get("t")), 1))
			})
		})
	}
	for name, body := range answers {
		t.Run(name, func(t *testing.T) {
			survives(t, func(q sent) []byte { return hostile(q, body) })
		})
	}
}

// survives lets most nodes of a lab answer as act says, and checks that a put and a get still work
// among the rest.
func survives(t *testing.T, act func(sent) []byte) {
	bubble(t, func(t *testing.T) {
		l, i := newLab(t, 60), newOwner(1).item(1, "v")
		for n, f := range l.order {
			if n%3 != 0 {
				f.act = func(q sent) [][]byte { return [][]byte{act(q), act(q)} }
			}
		}
		if s, err := put(t, l, l.seeds(8), i); err != nil || s.Acks < enough {
			t.Fatalf("%d acknowledged: %v", s.Acks, err)
		}
		if got, err := get(t, l, l.seeds(8), i.Key, 0); err != nil || !got.same(&i) {
			t.Fatalf("got %+v: %v", got, err)
		}
		if _, err := get(t, l, l.seeds(8), [32]byte{9}, 0); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
	})
}

func TestReadErrorOfTheWireIsHarmless(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, 30)
		r, c := l.road(t.Context(), l.seeds(8))
		c.Close()
		if _, err := r.Get(t.Context(), [32]byte{1}, 0); !errors.Is(err, ErrLost) {
			t.Fatal(err)
		}
		r.Close()
	})
}

func TestOnlyTheOneAskedIsBelieved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := newLab(t, 20), newOwner(1).item(1, "planted")
		r, c := l.road(t.Context(), l.seeds(1))
		defer r.Close()
		first, stranger := l.order[0], l.order[1]
		first.act = func(q sent) [][]byte {
			body := append(dict{{"id", encodeString(stranger.id[:])}}, itemEntries(i)...)
			forged := reply(q, body)
			c.say(forged, stranger.addr) // the right transaction, from another address
			q.d = append(dict(nil), q.d...)
			for n := range q.d {
				if q.d[n].key == "t" {
					q.d[n].raw = []byte("4:abcd")
				}
			}
			c.say(reply(q, body), first.addr) // the right address, another transaction
			return [][]byte{reply(q, body)}
		}
		if _, err := r.Get(t.Context(), i.Key, 1); !errors.Is(err, ErrNoNodes) {
			t.Fatal(err)
		}
	})
}

func TestOperationsCannotBeLinkedByTheirPackets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, 60)
		r, _ := l.road(t.Context(), l.seeds(3))
		defer r.Close()
		ids, tids := make(map[string][20]byte), make(map[string]bool)
		for n := range byte(10) {
			i := newOwner(n).item(1, "v")
			next := func(*Item) (Item, bool) { return i, true }
			if _, err := r.Put(t.Context(), i.Key, 0, next); err != nil {
				t.Fatal(err)
			}
		}
		for _, q := range append(l.questions("get"), l.questions("put")...) {
			tid := string(q.d.str("t"))
			if len(tid) != 4 || tids[tid] {
				t.Fatalf("transaction id %q", tid)
			}
			tids[tid] = true
			target := Target([32]byte(append(q.a.str("k"), make([]byte, 32)...)))
			if b := q.a.str("target"); b != nil {
				target = [20]byte(b)
			}
			id := string(q.a.str("id"))
			if was, ok := ids[id]; ok && was != target {
				t.Fatal("two operations have one node id")
			}
			ids[id] = target
			if string(q.d.get("ro")) != "i1e" || q.a.has("cas") || q.a.has("salt") {
				t.Fatalf("asked %q", q.d.encode())
			}
		}
		if len(ids) != 10 || counted(tids) > 2 {
			t.Fatalf("%d node ids; %d transaction ids follow another", len(ids), counted(tids))
		}
	})
	if n := counted(naiveTIDs(t)); n < 5 {
		t.Fatalf("the naive variant's ids follow another only %d times: this test proves nothing", n)
	}
}

// counted tells how many ids are one more than another.
func counted(tids map[string]bool) (n int) {
	number := func(s string) uint32 {
		return binary.LittleEndian.Uint32(append([]byte(s), 0, 0, 0, 0)[:4])
	}
	have := make(map[uint32]bool)
	for t := range tids {
		have[number(t)] = true
	}
	for t := range tids {
		if have[number(t)+1] {
			n++
		}
	}
	return n
}

// naiveTIDs are the ids two bare servers of one process use, as one gateway sees them.
func naiveTIDs(t *testing.T) map[string]bool {
	tids := make(map[string]bool)
	bubble(t, func(t *testing.T) {
		var seen []*bareConn
		var servers []*dht.Server
		for range 2 {
			c := &bareConn{closed: make(chan struct{})}
			s, err := dht.NewServer(&dht.ServerConfig{Conn: c, NoSecurity: true, Passive: true})
			if err != nil {
				t.Fatal(err)
			}
			seen, servers = append(seen, c), append(servers, s)
		}
		for n := range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			to := library(netip.MustParseAddrPort("10.0.0.1:1"))
			servers[n%2].Query(ctx, to, "ping", dht.QueryInput{})
			cancel()
		}
		for n := range servers {
			servers[n].Close()
			for _, tid := range seen[n].tids {
				tids[tid] = true
			}
		}
	})
	return tids
}

// bareConn is a conn into the void that notes transaction ids.
type bareConn struct {
	net.PacketConn
	closed chan struct{}
	tids   []string
}

func (c *bareConn) ReadFrom([]byte) (int, net.Addr, error) {
	<-c.closed
	return 0, nil, net.ErrClosed
}

func (c *bareConn) LocalAddr() net.Addr { return &net.UDPAddr{} }
func (c *bareConn) Close() error        { close(c.closed); return nil }

func (c *bareConn) WriteTo(b []byte, _ net.Addr) (int, error) {
	d, _ := parseDict(b)
	c.tids = append(c.tids, string(d.str("t")))
	return len(b), nil
}

func TestPendingQuestionsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, 1)
		l.order[0].act = func(sent) [][]byte { return nil }
		r, _ := l.road(t.Context(), nil)
		defer r.Close()
		p := r.guard.port()
		ping := []byte("d1:ad" + anID + "e1:q4:ping1:t1:a1:y1:qe")
		to := net.UDPAddrFromAddrPort(l.order[0].addr)
		for range 3 * maxPending {
			if _, err := p.WriteTo(ping, to); err != nil {
				t.Fatal(err)
			}
		}
		n, sent := len(r.guard.pending), len(l.questions("ping"))
		if n != maxPending || sent != maxPending {
			t.Fatalf("%d wait, %d were sent", n, sent)
		}
		<-time.After(stale + time.Second)
		if _, err := p.WriteTo(ping, to); err != nil {
			t.Fatal(err)
		}
		if n = len(r.guard.pending); n != 1 {
			t.Fatalf("%d wait after all went stale", n)
		}
	})
}

var victim = flag.String("victim", "", "run as the victim of one hostile packet")

func TestMain(m *testing.M) {
	flag.Parse()
	if *victim != "" {
		bare(*victim)
		fmt.Println("survived")
		return
	}
	os.Exit(m.Run())
}

// TestBareLibraryDies shows that the packets are hostile: each ends a process in which nothing
// stands before the library.
func TestBareLibraryDies(t *testing.T) {
	names := []string{"answer without seq", "read error"}
	for name := range unasked {
		names = append(names, name)
	}
	for _, name := range names {
		out, err := exec.Command(os.Args[0], "-victim", name).CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("panic: ")) {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
	if out, err := exec.Command(os.Args[0], "-victim", "nothing").CombinedOutput(); err != nil {
		t.Errorf("nothing: %v: %s", err, out)
	}
}

// bare runs a server as the library makes it and does to it what name says.
func bare(name string) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	enemy, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	s, err := dht.NewServer(&dht.ServerConfig{
		Conn: conn, NoSecurity: true, Store: bep44.NewMemory(),
		StartingNodes: func() ([]dht.Addr, error) {
			return []dht.Addr{dht.NewAddr(enemy.LocalAddr())}, nil
		}})
	check(err)
	check(enemy.SetDeadline(time.Now().Add(10 * time.Second)))
	switch name {
	case "answer without seq":
		go answerWithoutSeq(enemy)
		target := bep44.MakeMutableTarget([32]byte{1}, nil)
		_, _, _ = getput.Get(context.Background(), target, s, nil, nil)
		return
	case "read error":
		check(conn.Close())
		select {} // until the library ends the process
	}
	_, err = enemy.WriteTo([]byte(unasked[name]), conn.LocalAddr())
	check(err)
	_, err = enemy.WriteTo([]byte("d1:ad"+anID+"e1:q4:ping1:t1:b1:y1:qe"), conn.LocalAddr())
	check(err)
	for b := make([]byte, 2000); ; { // until it answers the second packet
		n, _, err := enemy.ReadFrom(b)
		check(err)
		if bytes.Contains(b[:n], []byte("1:t1:b")) {
			return
		}
	}
}

func answerWithoutSeq(enemy *net.UDPConn) {
	for b := make([]byte, 2000); ; {
		n, from, err := enemy.ReadFrom(b)
		check(err)
		d, _ := parseDict(b[:n])
		k := append([]byte{1}, make([]byte, 31)...)
		body := []byte("d" + anID + "1:k32:" + string(k) + "5:token1:x1:v1:xe")
		packet := dict{{"r", body}, {"t", d.get("t")}, {"y", []byte("1:r")}}
		_, err = enemy.WriteTo(packet.encode(), from)
		check(err)
	}
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
}
