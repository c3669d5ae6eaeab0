// Claims about the atlas.

package atlas

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// node is the j-th node of network i.
func node(i, j int) netip.AddrPort {
	ip := netip.AddrFrom4([4]byte{byte(20 + i/256), byte(i), byte(j), 1})
	return netip.AddrPortFrom(ip, 6881)
}

// twice lets nodes answer through two gateways.
func twice(a *Atlas, now time.Time, heard ...netip.AddrPort) {
	a.Learn("one", nil, heard, now)
	a.Learn("two", nil, heard, now)
}

func TestNodeIsProvenByTwoGateways(t *testing.T) {
	var a Atlas
	a.Learn("one", nil, []netip.AddrPort{node(1, 1), node(1, 1), node(2, 1)}, noon)
	if s := append(a.Seeds(10), a.Own(10)...); len(s) != 0 {
		t.Fatalf("%v are known after one road", s)
	}
	a.Learn("two", nil, []netip.AddrPort{node(2, 1)}, noon)
	if s := a.Seeds(10); len(s) != 1 || s[0] != node(2, 1) {
		t.Fatalf("%v are proven", s)
	}
}

func TestOneGatewayProvesNothing(t *testing.T) {
	var a, naive Atlas
	for road := range 50 {
		var played []netip.AddrPort // nodes that are the gateway itself
		for i := range 100 {
			played = append(played, node(i, 1))
		}
		a.Learn("rogue", nil, played, noon)
		a.Learn("", nil, played, noon)                   // a road of which nobody knows the gateway
		naive.Learn(fmt.Sprint(road), nil, played, noon) // counts roads
	}
	if s := a.Seeds(1000); len(s) != 0 {
		t.Errorf("one gateway proved %d nodes", len(s))
	}
	if len(a.Own(1000)) != 100 {
		t.Errorf("%d serve ourselves: nothing is left to who has one gateway", len(a.Own(1000)))
	}
	if len(naive.Seeds(1000)) != 100 {
		t.Error("to count roads does as well: this test proves nothing")
	}
}

func TestProvenNodesComeBeforeOthers(t *testing.T) {
	var a Atlas
	twice(&a, noon, node(0, 1))
	rogue := func(j int) (played []netip.AddrPort) {
		for i := range 2 * maxKnown {
			played = append(played, node(i, j))
		}
		return played
	}
	for range 3 {
		for at := 0; at < 2*maxKnown; at += 100 {
			a.Learn("rogue", nil, rogue(2)[at:at+100], noon.Add(time.Hour))
			a.Learn("rogue", nil, rogue(2)[at:at+100], noon.Add(time.Hour))
		}
	}
	if s := a.Seeds(10); len(s) != 1 || s[0] != node(0, 1) || len(a.known) != maxKnown {
		t.Fatalf("%v are left of the proven, %d are known", s, len(a.known))
	}
	twice(&a, noon, node(5, 1), node(999, 1)) // where one has the place, and where there is no room
	if s := a.Seeds(10); len(s) != 3 || len(a.known) != maxKnown {
		t.Errorf("%v are proven, %d known", s, len(a.known))
	}
}

func TestWhatOneGatewayShowedASecondOneProves(t *testing.T) {
	var a, again Atlas
	for range 2 {
		a.Learn("one", nil, []netip.AddrPort{node(1, 1)}, noon)
	}
	saved, _ := a.Encode()
	saved1 := append([]byte{unproven}, saved[1:]...)
	for _, b := range [][]byte{saved, saved1} {
		again = Atlas{}
		if err := again.Decode(b); err != nil || len(again.Own(9)) != 1 {
			t.Fatalf("version %d: %v", b[0], err)
		}
	}
	again.Learn("two", nil, []netip.AddrPort{node(1, 1)}, noon) // who showed it is not saved
	if len(again.Seeds(9)) != 0 {
		t.Error("one gateway since the start proves")
	}
	again.Learn("one", nil, []netip.AddrPort{node(1, 1)}, noon)
	a.Learn("two", nil, []netip.AddrPort{node(1, 1)}, noon)
	if _, news := a.Encode(); len(again.Seeds(9)) != 1 || len(a.Seeds(9)) != 1 || !news {
		t.Error("two gateways do not prove, or it is not saved")
	}
}

func TestWhereThereIsNoGatewayNobodyPlaysNodes(t *testing.T) {
	var a Atlas
	for range 2 {
		a.Learn(Direct, nil, []netip.AddrPort{node(1, 1)}, noon)
	}
	if len(a.Seeds(9)) != 1 {
		t.Error("a gateway's own walks prove nothing")
	}
}

func TestOneOwnerFillsNoAtlas(t *testing.T) {
	var a Atlas
	kept := map[netip.AddrPort]bool{} // the naive atlas keeps whoever answered
	for j := range 250 {
		twice(&a, noon, node(7, j))
		kept[node(7, j)] = true
	}
	if n := len(a.Seeds(1000)); n != 1 {
		t.Fatalf("one network has %d places", n)
	}
	if len(kept) != 250 {
		t.Fatal("the naive atlas is not filled: this test proves nothing")
	}
}

func TestAtlasIsBounded(t *testing.T) {
	var a Atlas
	for i := range 3000 {
		for _, via := range []string{"one", "two"} {
			a.Learn(via, make([]float64, 5), []netip.AddrPort{node(i, 1), node(i, 2)}, noon)
		}
	}
	b, news := a.Encode()
	if len(a.known) != maxKnown || len(a.fresh) > maxFresh || len(a.sizes) > sizeMemory ||
		len(b) > 4400 || !news {
		t.Fatalf("%d known, %d fresh, %d sizes, %d bytes", len(a.known), len(a.fresh),
			len(a.sizes), len(b))
	}
}

func TestSilentNodesAreForgotten(t *testing.T) {
	var a Atlas
	twice(&a, noon, node(1, 1), node(2, 1))
	a.Learn("", nil, []netip.AddrPort{node(2, 1)}, noon.Add(forgetTime))
	a.Learn("", nil, nil, noon.Add(forgetTime+2*time.Hour))
	if s := a.Seeds(10); len(s) != 1 || s[0] != node(2, 1) {
		t.Fatalf("%v are left", s)
	}
}

func TestSizeIsTheUpperQuartile(t *testing.T) {
	var a Atlas
	a.Learn("", []float64{10, 1000, 10}, nil, noon)
	if a.Size() != 0 {
		t.Fatal("three walks are enough")
	}
	a.Learn("", []float64{2000}, nil, noon)
	if a.Size() != 2000 {
		t.Fatalf("size %v", a.Size())
	}
}

func TestWhatIsSavedIsKnownAgain(t *testing.T) {
	var a, b Atlas
	v6 := netip.MustParseAddrPort("[2001:db8::1]:6881")
	twice(&a, noon, node(1, 1), v6)
	saved, _ := a.Encode()
	if err := b.Decode(saved); err != nil || len(b.Seeds(10)) != 2 {
		t.Fatalf("%v: %v", b.Seeds(10), err)
	}
	if _, news := b.Encode(); news {
		t.Fatal("what was read counts as new")
	}
	if err := b.Decode(saved[:len(saved)-1]); !errors.Is(err, ErrAtlas) {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1})
	f.Add([]byte{2, 132, 20, 1, 1, 1, 26, 225, 0, 7, 0, 0})
	f.Add([]byte{1, 4, 20, 1, 1, 1, 26, 225, 0, 7, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var a, again Atlas
		if a.Decode(b) != nil {
			return
		}
		saved, _ := a.Encode()
		if len(saved) != len(b) || again.Decode(saved) != nil ||
			len(again.Seeds(maxKnown)) != len(a.Seeds(maxKnown)) ||
			len(again.Own(maxKnown)) != len(a.Own(maxKnown)) {
			t.Fatalf("%x became %x", b, saved)
		}
	})
}

func TestNodesThatKeepNothingMakeUsWary(t *testing.T) {
	a := new(Atlas)
	for range probesLeast - 1 {
		a.Probed(0, 1)
	}
	if a.Wary() {
		t.Error("wary after a few")
	}
	a.Probed(0, 1)
	if a.Probed(0, 1); !a.Wary() {
		t.Error("not wary")
	}
	for range 100 { // as where some leave and others come
		a.Probed(3, 4)
	}
	if a.Wary() {
		t.Error("wary for ever")
	}
	a.Probed(0, 0)
}
