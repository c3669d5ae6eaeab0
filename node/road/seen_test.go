// Claims about what follows from what others see, and about the moments of knocking.

package road

import (
	"net/netip"
	"slices"
	"testing"
	"time"
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
		"10.4.0.1:1"), 3)
	if want := spots("10.1.0.1:1", "10.2.0.1:1", "10.3.0.1:1"); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestContactCannotHaveUsKnockAtMachinesBesideUs(t *testing.T) {
	record := spots("127.0.0.1:53", "192.168.1.1:80", "203.0.113.9:4000")
	for own, want := range map[string]string{
		"198.51.100.7:1": record[2].String(),
		"192.168.1.7:1":  record[1].String(),
		"127.0.0.1:1":    record[0].String(),
	} {
		got := dialable(netip.MustParseAddrPort(own), record)
		if len(got) != 1 || got[0].String() != want {
			t.Errorf("at %s it knocks at %v", own, got)
		}
	}
	if got := dialable(netip.AddrPort{}, record); len(got) != 1 || got[0] != record[2] {
		t.Errorf("where its address is not known it knocks at %v", got)
	}
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
