// Claims about the atlas.

package atlas

import (
	"errors"
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

func TestNodeCountsWhenItAnsweredTwice(t *testing.T) {
	var a Atlas
	a.Learn(nil, []netip.AddrPort{node(1, 1), node(1, 1), node(2, 1)}, noon)
	if n := len(a.Seeds(10)); n != 0 {
		t.Fatalf("%d nodes count after one road", n)
	}
	a.Learn(nil, []netip.AddrPort{node(2, 1)}, noon)
	if s := a.Seeds(10); len(s) != 1 || s[0] != node(2, 1) {
		t.Fatalf("%v count", s)
	}
}

func TestOneOwnerFillsNoAtlas(t *testing.T) {
	var a, naive Atlas
	kept := map[netip.AddrPort]bool{} // the naive atlas keeps whoever answered
	for j := range 250 {
		for range 2 {
			a.Learn(nil, []netip.AddrPort{node(7, j)}, noon)
			naive.Learn(nil, nil, noon)
			kept[node(7, j)] = true
		}
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
		for range 2 {
			a.Learn(make([]float64, 5), []netip.AddrPort{node(i, 1), node(i, 2)}, noon)
		}
	}
	b, news := a.Encode()
	if len(a.proven) != maxProven || len(a.fresh) > maxFresh || len(a.sizes) > sizeMemory ||
		len(b) > 4400 || !news {
		t.Fatalf("%d proven, %d fresh, %d sizes, %d bytes", len(a.proven), len(a.fresh),
			len(a.sizes), len(b))
	}
}

func TestSilentNodesAreForgotten(t *testing.T) {
	var a Atlas
	for range 2 {
		a.Learn(nil, []netip.AddrPort{node(1, 1), node(2, 1)}, noon)
	}
	a.Learn(nil, []netip.AddrPort{node(2, 1)}, noon.Add(forgetTime))
	a.Learn(nil, nil, noon.Add(forgetTime+2*time.Hour))
	if s := a.Seeds(10); len(s) != 1 || s[0] != node(2, 1) {
		t.Fatalf("%v are left", s)
	}
}

func TestSizeIsTheUpperQuartile(t *testing.T) {
	var a Atlas
	a.Learn([]float64{10, 1000, 10}, nil, noon)
	if a.Size() != 0 {
		t.Fatal("three walks are enough")
	}
	a.Learn([]float64{2000}, nil, noon)
	if a.Size() != 2000 {
		t.Fatalf("size %v", a.Size())
	}
}

func TestWhatIsSavedIsKnownAgain(t *testing.T) {
	var a, b Atlas
	v6 := netip.MustParseAddrPort("[2001:db8::1]:6881")
	for range 2 {
		a.Learn(nil, []netip.AddrPort{node(1, 1), v6}, noon)
	}
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
	f.Add([]byte{1, 4, 20, 1, 1, 1, 26, 225, 0, 7, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var a, again Atlas
		if a.Decode(b) != nil {
			return
		}
		saved, _ := a.Encode()
		if len(saved) != len(b) || again.Decode(saved) != nil ||
			len(again.Seeds(maxProven)) != len(a.Seeds(maxProven)) {
			t.Fatalf("%x became %x", b, saved)
		}
	})
}
