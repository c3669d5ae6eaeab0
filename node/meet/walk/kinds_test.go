// Claims about IPv6: a DHT of its own, walked where the road carries it.

package walk

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
)

// address6 is the nth address of a network of its own; in fd00::/8 the library asks nothing of ids.
func address6(net byte, n int) netip.Addr {
	a := [16]byte{0xfd, net, 4: 1}
	binary.BigEndian.PutUint16(a[2:], uint16(n))
	return netip.AddrFrom16(a)
}

// newLab6 has four nodes of IPv4 and six of IPv6, no two in one network, in turns.
func newLab6(t testing.TB, four, six int) *lab {
	l, v6 := newLab(t, four), newLab(t, six)
	for i, f := range v6.order {
		slices.Reverse(f.id[:]) // not those of the others
		n := l.add(address6(0, i), f.id)
		if at := 2*i + 1; at < len(l.order) {
			l.order = slices.Insert(l.order[:len(l.order)-1], at, n)
		}
	}
	return l
}

func putOn(t *testing.T, r *Road, i Item) Stored {
	t.Helper()
	defer r.Close()
	s, err := r.Put(t.Context(), i.Key, 0, func(*Item) (Item, bool) { return i, true })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func holders(l *lab, kind int, i Item) (n int) {
	for _, f := range l.order {
		if f.item != nil && f.item.same(&i) && kindOf(f.addr.Addr()) == kind {
			n++
		}
	}
	return n
}

func TestWhatIsStoredInBothIsFoundInEither(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab6(t, 60, 60)
		for seed := range byte(10) {
			i := newOwner(seed).item(1, "v")
			putOn(t, l.roadOf(t.Context(), true, true, l.seeds(8)), i)
			if holders(l, ip4, i) < near || holders(l, ip6, i) < near {
				t.Fatalf("held by %d and %d", holders(l, ip4, i), holders(l, ip6, i))
			}
			for _, c := range [][2]bool{{true, true}, {true, false}, {false, true}} {
				r := l.roadOf(t.Context(), c[0], c[1], l.seeds(8))
				if got, err := r.Get(t.Context(), i.Key, 0); err != nil || !got.same(&i) {
					t.Errorf("IPv4 %v, IPv6 %v: %v", c[0], c[1], err)
				}
				r.Close()
			}
		}
	})
}

func TestRoadIsWalkedInTheKindItCarries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, six := range []bool{false, true} {
			l, i := newLab6(t, 60, 60), newOwner(1).item(1, "v")
			s := putOn(t, l.roadOf(t.Context(), !six, six, l.seeds(16)), i)
			if s.Acks < near {
				t.Errorf("%d acknowledged", s.Acks)
			}
			for _, q := range l.questions("get") {
				if q.to.Addr().Is6() != six {
					t.Fatal("a node was asked that the road does not reach")
				}
			}
		}
	})
}

func TestSwarmOfIPv6Alone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := newLab6(t, 0, 100), newOwner(1).item(1, "v")
		r := l.roadOf(t.Context(), false, true, l.seeds(4))
		putOn(t, r, i)
		for _, f := range l.closest(Target(i.Key), near) {
			if f.item == nil {
				t.Fatal("one of the nearest does not hold it")
			}
		}
		if len(r.Sizes()) != 0 {
			t.Error("the size of another network is learned")
		}
		again := l.roadOf(t.Context(), false, true, l.seeds(4))
		defer again.Close()
		if _, err := again.Get(t.Context(), [32]byte{7}, 0); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
	})
}

func TestIPv4InDisguiseIsNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := newLab6(t, 40, 40), newOwner(1).item(1, "v")
		for _, f := range l.order { // as the library's own nodes do
			f.act = func(q sent) [][]byte {
				d, _ := parseDict(l.honest(f, q))
				body, _ := parseDict(d.get("r"))
				var mapped []byte
				for _, n := range l.closestOf(ip4, [20]byte(q.a.str("target")), 8) {
					ip := netip.AddrFrom16(n.addr.Addr().As16())
					long := netip.AddrPortFrom(ip, n.addr.Port())
					mapped = append(append(mapped, n.id[:]...), compact(long)...)
				}
				for n := range body {
					if body[n].key == "nodes6" {
						body[n].raw = encodeString(mapped)
					}
				}
				return [][]byte{reply(q, body)}
			}
		}
		r := l.roadOf(t.Context(), true, true, l.seeds(8))
		defer r.Close()
		if _, err := r.Get(t.Context(), i.Key, 0); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		seen := map[netip.AddrPort]bool{}
		for _, q := range l.questions("get") {
			if q.to.Addr().Is4In6() || seen[q.to] {
				t.Fatalf("%v was asked", q.to)
			}
			seen[q.to] = true
		}
	})
}

func TestOneNetworkOfIPv6CannotBeAllTheNodesNearAKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := newLab6(t, 0, 60), newOwner(1).item(1, "v")
		var hostile []*fake
		for n := range 30 { // all in one /32
			id := Target(i.Key)
			id[19] ^= byte(n + 1)
			a := address6(1, 0).As16()
			a[15] = byte(n)
			hostile = append(hostile, l.add(netip.AddrFrom16(a), id))
		}
		putOn(t, l.roadOf(t.Context(), false, true, l.seeds(8)), i)
		held := 0
		for _, f := range hostile {
			if f.item != nil {
				held++
			}
		}
		if n := holders(l, ip6, i); held > 1 || n < near {
			t.Fatalf("%d of one network hold the item, of %d", held, n)
		}
		// The naive variant takes each network of 64 bits for an owner, or each address.
		naive := l.closest(Target(i.Key), near)
		if slices.ContainsFunc(naive, func(f *fake) bool { return !slices.Contains(hostile, f) }) {
			t.Fatal("the naive variant resists: this test proves nothing")
		}
	})
}

func TestStoringNodesOfIPv6HaveTheIDOfTheirAddress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := &lab{t: t, nodes: map[netip.AddrPort]*fake{}}, newOwner(1).item(1, "v")
		for n := range 60 {
			a, id := netip.AddrFrom16([16]byte{0x2a, 1, byte(n), 15: 1}), krpc.ID{19: byte(n)}
			dht.SecureNodeId(&id, a.AsSlice())
			l.add(a, id)
		}
		for n := range 20 { // chosen
			id := Target(i.Key)
			id[19] ^= byte(n + 1)
			l.add(netip.AddrFrom16([16]byte{0x2a, 2, byte(n), 15: 1}), id)
		}
		putOn(t, l.roadOf(t.Context(), false, true, l.seeds(16)), i)
		held := 0
		for _, f := range l.order[:60] {
			if f.item != nil {
				held++
			}
		}
		if held < near/2 {
			t.Errorf("only %d honest nodes hold the item", held)
		}
		if f := l.order[79]; dht.NodeIdSecure(f.id, f.addr.Addr().AsSlice()) {
			t.Error("any id fits: this test proves nothing")
		}
	})
}
