// Claims about what follows from what others see, and about the moments of knocking.

package road

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"nightjar/node/card"
	"nightjar/onion/inet"
)

func spots(list ...string) (out []netip.AddrPort) {
	for _, s := range list {
		out = append(out, netip.MustParseAddrPort(s))
	}
	return out
}

func TestOneLiarOfThreeIsOutvoted(t *testing.T) {
	const a, b, lie = "203.0.113.9:4000", "203.0.113.9:4001", "198.51.100.1:53"
	for _, c := range []struct {
		seen []netip.AddrPort
		own  string
		want verdict
	}{
		{spots(a, a, a), a, agreed},
		{spots(a, a), a, agreed},
		{spots(lie, a, a), a, agreed},
		{spots(a, lie, a), a, agreed},
		{spots(a, b, b), b, agreed},
		{spots(a, b, "203.0.113.9:4002"), "", shifting},
		{spots(a, b), "", shifting},
		{spots(a, b, lie), "", shifting},
		{spots(a, lie), "", unknown},
		{spots(a), "", unknown},
		{nil, "", unknown},
	} {
		own, v := judge(c.seen)
		if v != c.want || own.IsValid() != (c.own != "") || own.IsValid() && own.String() != c.own {
			t.Errorf("%v: %v, %v", c.seen, own, v)
		}
	}
	// The naive variant believes the first that answers.
	naive := func(seen []netip.AddrPort) netip.AddrPort { return seen[0] }
	if naive(spots(lie, a, a)).String() != lie {
		t.Error("the naive variant is not fooled: this test proves nothing")
	}
}

func TestWitnessesAreOfDifferentNetworks(t *testing.T) {
	got := apart(spots("10.1.0.1:1", "10.1.9.9:1", "10.2.0.1:1", "[2001:db8::1]:1", "10.3.0.1:1",
		"10.4.0.1:1"), 3, whatever)
	if want := spots("10.1.0.1:1", "10.2.0.1:1", "10.3.0.1:1"); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// whatever lets everything pass.
func whatever(netip.AddrPort) bool { return true }

func TestContactCannotHaveUsKnockAtMachinesBesideUs(t *testing.T) {
	record := spots("127.0.0.1:5353", "192.168.1.1:8080", "9.9.9.9:4000", "100.100.100.100:5300",
		"198.18.0.1:8080", "192.0.0.8:1900", "240.0.0.1:9000", "0.1.2.3:9000", "9.9.9.9:53")
	for own, want := range map[string]netip.AddrPort{
		"8.8.8.7:1": record[2], "192.168.1.7:1": {}, "127.0.0.1:1": {}, "": record[2],
	} {
		var at netip.AddrPort
		if own != "" {
			at = netip.MustParseAddrPort(own)
		}
		got := dialable(at, record, public)
		if len(got) > 1 || len(got) == 1 && got[0] != want || len(got) == 0 && want.IsValid() {
			t.Errorf("at %s it knocks at %v", own, got)
		}
	}
	for own, want := range map[string]netip.AddrPort{
		"192.168.1.7:1": record[1], "127.0.0.1:1": record[0],
	} {
		got := dialable(netip.MustParseAddrPort(own), record, everywhere)
		if len(got) != 1 || got[0] != want {
			t.Errorf("in a network for tests, at %s it knocks at %v", own, got)
		}
	}
	// The naive variant knows the private blocks and takes all else for the Internet.
	naive := dialable(netip.MustParseAddrPort("8.8.8.7:1"), record, whatever)
	if len(naive) < 5 {
		t.Error("the naive variant knocks at none of them: this test proves nothing")
	}
}

// knocked is how many datagrams leave for a place that a contact's record names, when all nodes
// that tell us our address tell a lie.
func knocked(t *testing.T, lie, place string, allowed func(netip.AddrPort) bool) (n int) {
	onStage(t, 0, func(s *stage) {
		s.allowed = allowed
		for range panel {
			s.node(func(netip.AddrPort) netip.AddrPort { return netip.MustParseAddrPort(lie) })
		}
		x, _ := s.pair(inet.Open, inet.Open)
		s.reach(x)
		before := s.net.Sent()
		r := card.Reach{Expires: time.Now().Add(time.Hour), At: spots(place)}
		if _, err := s.dial(x, r); err == nil {
			t.Error("somebody is there")
		}
		n = s.net.Sent() - before
	})
	return n
}

func TestLiarsDoNotOpenTheNetworkBesideUs(t *testing.T) {
	for lie, place := range map[string]string{
		"192.168.1.50:4000": "192.168.1.1:5353", "127.0.0.1:4000": "127.0.0.1:5353",
		"8.8.8.8:4000": "100.64.0.1:5353",
	} {
		if n := knocked(t, lie, place, public); n != 0 {
			t.Errorf("nodes say %s, and %d datagrams leave for %s", lie, n, place)
		}
		if knocked(t, lie, place, whatever) == 0 {
			t.Error("nothing leaves on the naive road either: this test proves nothing")
		}
	}
	if n := knocked(t, "8.8.8.8:4000", "9.9.9.9:4000", public); n < 30 || n > 50 {
		t.Errorf("%d datagrams at a public address: SECURITY.md says about forty", n)
	}
}

func TestNobodyIsPingedBesideUs(t *testing.T) {
	onStage(t, 0, func(s *stage) {
		s.nodes = spots("192.168.1.1:5353", "127.0.0.1:5353", "100.64.0.1:5353", "9.9.9.9:53")
		x, _ := s.pair(inet.Open, inet.Open)
		<-x.Ready()
		<-time.After(10 * time.Minute)
		if n := s.net.Sent(); n != 0 {
			t.Errorf("%d datagrams", n)
		}
	})
	onStage(t, 0, func(s *stage) {
		s.nodes, s.allowed = spots("192.168.1.1:5353"), whatever
		x, _ := s.pair(inet.Open, inet.Open)
		<-x.Ready()
		if s.net.Sent() == 0 {
			t.Error("nor by the naive road: this test proves nothing")
		}
	})
}

func TestMomentsAreSharedAndNeverOverlap(t *testing.T) {
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for seed := range byte(8) {
		root := [32]byte{seed}
		often, rare := map[time.Time]bool{}, 0
		last := time.Time{}
		for at := begin; at.Before(begin.Add(12 * time.Hour)); {
			at = Moment(root, at, false)
			if !last.IsZero() && at.Sub(last) < KnockTime {
				t.Fatal("two moments within one dial")
			}
			often[at], last = true, at
		}
		for at := begin; at.Before(begin.Add(11 * time.Hour)); rare++ {
			at = Moment(root, at, true)
			if !often[at] {
				t.Fatal("who has waited long knocks when nobody else does")
			}
		}
		if n := len(often); n < 178 || n > 182 || rare < 19 || rare > 22 {
			t.Errorf("%d moments, %d for who has waited long", n, rare)
		}
	}
	ones := [32]byte(slices.Repeat([]byte{1}, 32)) // as docs/protocol.md has it
	for long, want := range map[bool]string{
		false: "2026-11-22T12:02:46.403032273Z", true: "2026-11-22T12:16:18.135322308Z"} {
		if got := Moment(ones, begin, long).UTC().Format(time.RFC3339Nano); got != want {
			t.Errorf("%v: %s", long, got)
		}
	}
	if Moment([32]byte{1}, begin, false) == Moment([32]byte{2}, begin, false) {
		t.Error("two pairs knock at one moment")
	}
}
