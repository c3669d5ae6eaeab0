// The node has bounds, and is no amplifier.

package serve

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/meet/walk"
)

// naive answers every question with all it has, as most nodes do.
func naive(s *Server, packet []byte) int {
	m, _, _ := read(packet)
	out := message{R: &result{ID: m.A.ID}, Y: "r", T: m.T}
	out.R.show(s.store.get(m.A.target(), time.Now()), nil)
	return len(out.bytes())
}

func TestVictimIsNotFloodedThroughUs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub()
		all := swarm(t, h, 20, false)
		i := signed(1, 1, strings.Repeat("v", 900))
		all[0].mu.Lock()
		_ = all[0].store.put(&item{mutable: true, key: i.Key, seq: 1, sig: i.Sig,
			value: walk.SigningBytes(1, i.Value)[len("3:seqi1e1:v"):]}, nil, all[0].self, time.Now())
		all[0].mu.Unlock()
		victim, sent, got := place(900, false), 0, 0
		h.mu.Lock()
		h.heard = func(b []byte, from, to netip.AddrPort) {
			if to == victim {
				got += len(b)
			}
		}
		h.mu.Unlock()
		packet, each := []byte(getOf(walk.Target(i.Key))), 0
		const seconds = 10
		for range seconds * 100 {
			h.send(packet, victim, place(0, false)) // in the victim's name
			sent += len(packet)
			<-time.After(10 * time.Millisecond)
		}
		synctest.Wait()
		all[0].mu.Lock()
		each = naive(all[0], packet)
		all[0].mu.Unlock()
		if got > sent || got > (seconds+1)*(largeHost*1400+300) {
			t.Errorf("%d bytes in the victim's name became %d", sent, got)
		}
		if n := each * seconds * 100; n < 8*sent {
			t.Errorf("the naive node sends %d: this test proves nothing", n)
		}
		h.mu.Lock()
		h.heard = nil
		h.mu.Unlock()
	})
}

func TestAnswersAreLittleLongerThanQuestions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub()
		swarm(t, h, 40, false)
		for _, q := range []string{asking("ping", stranger), getOf([20]byte{9}),
			asking("find_node", stranger+"6:target20:"+stranger[7:]),
			asking("get_peers", stranger+"9:info_hash20:"+stranger[7:])} {
			got := ask(h, place(901, false), q)
			if len(got) != 1 || 2*len(got[0]) > 7*len(q) {
				t.Errorf("%d bytes are answered by %d: %q", len(q), len(got[0]), q)
			}
		}
		got := ask(h, place(902, false), getOf([20]byte{9}))
		if n := strings.Count(got[0], string([]byte{0x1a, 0xe1})); n < 7 {
			t.Errorf("%d nodes are named", n) // each has port 6881
		}
	})
}

func TestOneAddressIsAnsweredSoOften(t *testing.T) {
	var l limits
	now := time.Unix(1000, 0)
	for range 1000 {
		l.answer(place(1, false).Addr(), now)
		l.item(place(1, false).Addr(), now)
	}
	if l.all != hostRate || l.large != largeHost {
		t.Errorf("%d answers, %d items", l.all, l.large)
	}
	for n := range 1000 {
		l.answer(place(n, true).Addr(), now)
		l.item(place(n, true).Addr(), now)
	}
	if l.all != answersRate || l.large != largeRate {
		t.Errorf("%d answers, %d items in all", l.all, l.large)
	}
	if !l.answer(place(1, false).Addr(), now.Add(time.Second)) {
		t.Error("it is not forgotten")
	}
}

func TestStoreIsBounded(t *testing.T) {
	s, self, now := newStore(), [20]byte{}, time.Unix(1000, 0)
	add := func(n int, from netip.AddrPort) refusal {
		b := binary.BigEndian.AppendUint32([]byte("4:"), uint32(n))
		return s.put(&item{value: b, from: network(from.Addr())}, nil, self, now)
	}
	for n := range 1000 {
		add(n, place(1, false))
	}
	if len(s.items) != maxOfOne {
		t.Errorf("%d items of one network", len(s.items))
	}
	for n := range 5000 {
		add(1000+n, place(n%100, false))
	}
	if len(s.items) != maxItems {
		t.Errorf("%d items", len(s.items))
	}
	far := 0
	for target := range s.items {
		if target[0] >= 128 { // the half that is farther from us
			far++
		}
	}
	if far > maxItems/10 {
		t.Errorf("%d of the kept items are far away", far)
	}
	now = now.Add(itemTime)
	s.sweep(now)
	if len(s.items)+len(s.of) != 0 {
		t.Errorf("%d items, %d networks are kept for ever", len(s.items), len(s.of))
	}
}

func TestTableIsBounded(t *testing.T) {
	tb, now := newTable([20]byte{}), time.Unix(1000, 0)
	for n := range 1000 {
		var id [20]byte
		binary.BigEndian.PutUint64(id[:], uint64(n)*0x9e3779b97f4a7c15)
		tb.answered(id, place(n%700, false), now)
	}
	near := 0
	for _, n := range tb.nodes {
		if tb.shared(n.id) == 0 {
			near++
		}
	}
	if near != bucket || len(tb.nodes) > maxNodes {
		t.Errorf("%d nodes, %d of one distance", len(tb.nodes), near)
	}
	one := newTable([20]byte{})
	for n := range byte(100) {
		a := netip.AddrFrom4([4]byte{9, 9, n, 1})
		one.answered([20]byte{n, 1}, netip.AddrPortFrom(a, 1), now)
	}
	if len(one.nodes) != 1 {
		t.Errorf("%d nodes of one network", len(one.nodes))
	}
	one.silent(one.nodes[0].addr)
	if one.silent(one.nodes[0].addr); len(one.nodes)+len(one.nets) != 0 {
		t.Error("one that is dead is kept")
	}
}

// FuzzHear lets strangers say anything.
func FuzzHear(f *testing.F) {
	i := signed(1, 1, "v")
	for _, s := range []string{asking("ping", stranger), getOf([20]byte{}),
		asking("put", mutable(i, "3:casi4e", "5:token1:x")), asking("put", stranger+"5:token1:x1:vde"),
		asking("get_peers", stranger+"9:info_hash20:"+stranger[7:]),
		"d2:ip6:1234561:rd" + stranger + "5:nodes26:" + strings.Repeat("n", 26) + "e1:t4:aaaa1:y1:re",
		"d1:eli201e1:xe1:t4:aaaa1:y1:ee"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		h, now := newHub(), time.Unix(1000, 0)
		s := &Server{Allowed: anybody, conn: h.conn(place(0, false)), table: newTable([20]byte{}),
			store: newStore(), proven: make(map[netip.Addr]time.Time),
			asked: map[[4]byte]question{[4]byte([]byte("aaaa")): {place(1, false), now}},
			views: make(map[netip.Addr]map[netip.Prefix]bool)}
		h.heard = func(b []byte, _, _ netip.AddrPort) {
			if _, _, ok := read(b); !ok && !strings.Contains(string(b), "1:y1:e") {
				t.Errorf("%q is answered by %q", packet, b)
			}
		}
		s.hear(packet, place(1, false), now)
	})
}
