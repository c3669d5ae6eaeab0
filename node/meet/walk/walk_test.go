// Claims about getting and putting.

package walk

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// put stores the item over a fresh road.
func put(t *testing.T, l *lab, seeds []netip.AddrPort, i Item) (Stored, error) {
	t.Helper()
	r, _ := l.road(t.Context(), seeds)
	defer r.Close()
	return r.Put(t.Context(), i.Key, 0, func(*Item) (Item, bool) { return i, true })
}

func get(t *testing.T, l *lab, seeds []netip.AddrPort, key [32]byte, quorum int) (Item, error) {
	t.Helper()
	r, _ := l.road(t.Context(), seeds)
	defer r.Close()
	return r.Get(t.Context(), key, quorum)
}

func TestTheEightNearestHoldTheItem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, 200)
		for seed := range byte(20) {
			i := newOwner(seed).item(1, "v")
			s, err := put(t, l, l.seeds(3), i)
			if err != nil || s.Acks < near || s.Acks > wide {
				t.Fatalf("%d acknowledged: %v", s.Acks, err)
			}
			for n, f := range l.closest(Target(i.Key), near) {
				if f.item == nil || f.item.Key != i.Key {
					t.Fatalf("the %dth nearest does not hold it", n)
				}
			}
			got, err := get(t, l, l.seeds(3), i.Key, 0)
			if err != nil || !got.same(&i) {
				t.Fatalf("got %v: %v", got, err)
			}
		}
	})
}

func TestAnOperationTakesFewRoundTrips(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := newLab(t, 200), newOwner(1).item(1, "v")
		for _, c := range []struct {
			what  string
			trips int
			do    func() error
		}{
			{"miss", 4, func() error { _, err := get(t, l, l.seeds(8), i.Key, 3); return err }},
			{"put", 5, func() error { _, err := put(t, l, l.seeds(8), i); return err }},
			{"get", 3, func() error { _, err := get(t, l, l.seeds(8), i.Key, 3); return err }},
		} {
			at := time.Now()
			err := c.do()
			if err != nil && (c.what != "miss" || !errors.Is(err, ErrNotFound)) {
				t.Fatal(err)
			}
			if d := time.Since(at); d > time.Duration(c.trips)*trip {
				t.Errorf("a %s took %v, %d round trips", c.what, d, d/trip)
			}
		}
	})
}

func TestNewestGenuineItemWins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, o := newLab(t, 60), newOwner(1)
		old, fresh, forged := o.item(5, "old"), o.item(6, "new"), newOwner(2).item(9, "forged")
		forged.Key = o.key()
		stretched := fresh
		stretched.Seq = 8
		for n, f := range l.closest(Target(o.key()), near) {
			f.item = []*Item{&old, &old, &forged, &old, &fresh, &old, &stretched, &old}[n]
		}
		got, err := get(t, l, l.seeds(3), o.key(), 0)
		if err != nil || !got.same(&fresh) {
			t.Fatalf("got %+v: %v", got, err)
		}
		// The naive variant believes the highest number.
		naive := &old
		for _, f := range l.closest(Target(o.key()), near) {
			if f.item.Seq > naive.Seq {
				naive = f.item
			}
		}
		if naive != &forged {
			t.Fatal("the naive variant is not fooled: this test proves nothing")
		}
	})
}

func TestItemsOfAnotherKeyAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, o := newLab(t, 30), newOwner(1)
		other := newOwner(2).item(1, "genuine, but another's")
		for _, f := range l.order {
			f.act = func(q sent) [][]byte {
				body := append(dict{{"id", encodeString(f.id[:])}}, itemEntries(other)...)
				return [][]byte{reply(q, body)}
			}
		}
		if _, err := get(t, l, l.seeds(30), o.key(), 1); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
	})
}

func TestHalfTheNodesDead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, 100)
		for n, f := range l.order {
			if n%2 == 1 {
				f.act = func(sent) [][]byte { return nil }
			}
		}
		for seed := range byte(20) {
			i, at := newOwner(seed).item(1, "v"), time.Now()
			s, err := put(t, l, l.seeds(8), i)
			if err != nil || s.Acks < enough {
				t.Fatalf("%d acknowledged: %v", s.Acks, err)
			}
			got, err := get(t, l, l.seeds(8), i.Key, 3)
			if err != nil || !got.same(&i) {
				t.Fatalf("got %v: %v", got, err)
			}
			if d := time.Since(at); d > 12*time.Second {
				t.Fatalf("put and get took %v", d)
			}
		}
	})
}

func TestRefusalsAreNotCountedAsStored(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := newLab(t, 40), newOwner(1).item(1, "v")
		for n, f := range l.closest(Target(i.Key), len(l.order)) {
			if n >= 2 {
				f.act = func(q sent) [][]byte {
					if string(q.d.str("q")) == "put" {
						return [][]byte{failed(q, "li206e3:bade")}
					}
					return [][]byte{l.honest(f, q)}
				}
			}
		}
		s, err := put(t, l, l.seeds(3), i)
		if err != nil || s.Acks != 2 || s.Answered < near {
			t.Fatalf("%+v: %v", s, err)
		}
	})
}

func TestPutSeesWhatIsThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, o := newLab(t, 40), newOwner(1)
		first := o.item(7, "first")
		if _, err := put(t, l, l.seeds(3), first); err != nil {
			t.Fatal(err)
		}
		r, _ := l.road(t.Context(), l.seeds(3))
		defer r.Close()
		_, err := r.Put(t.Context(), o.key(), 0, func(have *Item) (Item, bool) {
			if have == nil || !have.same(&first) {
				t.Errorf("saw %+v", have)
			}
			return Item{}, false
		})
		if !errors.Is(err, ErrTaken) {
			t.Fatal(err)
		}
	})
}

// crowd puts n nodes of one /16 nearest to the target.
func crowd(l *lab, target [20]byte, n int) []*fake {
	var out []*fake
	for i := range n {
		id := target
		id[19] ^= byte(i + 1)
		out = append(out, l.add(netip.AddrFrom4([4]byte{10, 250, byte(i), 1}), id))
	}
	return out
}

func TestOneNetworkCannotBeAllTheNodesNearAKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := newLab(t, 100), newOwner(1).item(1, "v")
		hostile := crowd(l, Target(i.Key), 30)
		s, err := put(t, l, l.seeds(8), i)
		if err != nil || s.Acks < near {
			t.Fatalf("%d acknowledged: %v", s.Acks, err)
		}
		held := 0
		for _, f := range hostile {
			if f.item != nil {
				held++
			}
		}
		if held > 1 {
			t.Fatalf("%d of one network hold the item", held)
		}
		// The naive variant stores at the nearest, whoever they are: the network has it all.
		naive := l.closest(Target(i.Key), near)
		if slices.ContainsFunc(naive, func(f *fake) bool { return !slices.Contains(hostile, f) }) {
			t.Fatal("the naive variant resists: this test proves nothing")
		}
	})
}

// besiege puts n nodes of as many networks nearest to the target. They swallow what they are given.
func besiege(l *lab, target [20]byte, n int) {
	for i := range n {
		id := target
		id[19] ^= byte(i + 1)
		f := l.add(netip.AddrFrom4([4]byte{127, byte(i), 1, 1}), id) // where every id fits
		f.act = func(q sent) [][]byte {
			if string(q.d.str("q")) == "put" {
				return [][]byte{reply(q, dict{{"id", encodeString(f.id[:])}})}
			}
			return [][]byte{l.honest(f, q)}
		}
	}
}

func TestSiegeOfAKnownKeyIsOutlasted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		survive := func(size float64) (found int) {
			for seed := range byte(10) {
				l, i := newLab(t, 150), newOwner(seed).item(1, "v")
				besiege(l, Target(i.Key), 30)
				writer, _ := l.road(t.Context(), l.seeds(8))
				reader, _ := l.road(t.Context(), l.seeds(16)[8:])
				writer.Size, reader.Size = size, size
				next := func(*Item) (Item, bool) { return i, true }
				if _, err := writer.Put(t.Context(), i.Key, 0, next); err != nil {
					t.Fatal(err)
				}
				if got, err := reader.Get(t.Context(), i.Key, 0); err == nil && got.same(&i) {
					found++
				}
				writer.Close()
				reader.Close()
			}
			return found
		}
		if n := survive(150); n != 10 {
			t.Errorf("%d of 10 items were found", n)
		}
		if n := survive(0); n != 0 { // the naive variant takes the nearest for the right ones
			t.Errorf("the naive variant finds %d: this test proves nothing", n)
		}
	})
}

func TestSizeOfTheNetworkIsEstimated(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, nodes := range []int{30, 200} {
			l := newLab(t, nodes)
			r, _ := l.road(t.Context(), l.seeds(8))
			for n := range byte(25) {
				if _, err := r.Get(t.Context(), [32]byte{n}, 0); !errors.Is(err, ErrNotFound) {
					t.Fatal(err)
				}
			}
			sizes := slices.Sorted(slices.Values(r.Sizes()))
			m, n := sizes[len(sizes)/2], float64(nodes)
			if len(sizes) != 25 || m < n/2 || m > 2*n {
				t.Errorf("%d walks in a network of %d say %.1f times as many", len(sizes), nodes, m)
			}
			r.Close()
		}
	})
}

func TestStoringNodesHaveTheIDOfTheirAddress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := newLab(t, 60), newOwner(1).item(1, "v") // in private ranges every id fits
		for n := range 12 {
			id := Target(i.Key)
			id[19] ^= byte(n + 1)
			l.add(netip.AddrFrom4([4]byte{byte(50 + n), 1, 1, 1}), id) // chosen, and public
		}
		s, err := put(t, l, l.seeds(8), i)
		if err != nil || s.Acks < near+near/2 {
			t.Fatalf("%d acknowledged: %v", s.Acks, err)
		}
		held := 0
		for _, f := range l.order[:60] {
			if f.item != nil {
				held++
			}
		}
		if held < near/2 {
			t.Fatalf("only %d honest nodes hold the item", held)
		}
	})
}

func TestLostRoadEndsTheOperation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, lose := range []func(*labConn){
			func(c *labConn) { close(c.broken) },
			func(c *labConn) { c.Close() },
		} {
			l, at := newLab(t, 10), time.Now()
			for _, f := range l.order {
				f.act = func(sent) [][]byte { return nil }
			}
			r, c := l.road(t.Context(), l.seeds(4))
			go func() {
				<-time.After(time.Second)
				lose(c)
			}()
			if _, err := r.Get(t.Context(), [32]byte{1}, 0); !errors.Is(err, ErrLost) {
				t.Fatal(err)
			}
			if d := time.Since(at); d > 1100*time.Millisecond {
				t.Fatalf("it took %v", d)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestOperationEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, at := newLab(t, 10), time.Now()
		for _, f := range l.order {
			f.act = func(sent) [][]byte { return nil }
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, _ := l.road(ctx, l.seeds(4))
		defer r.Close()
		_, err := r.Get(ctx, [32]byte{1}, 0)
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrLost) {
			t.Fatal(err)
		}
		if d := time.Since(at); d > 1100*time.Millisecond {
			t.Fatalf("it took %v", d)
		}
	})
}

func TestNobodyToAsk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, 10)
		for _, f := range l.order {
			f.act = func(sent) [][]byte { return nil }
		}
		useless := []netip.AddrPort{{}, netip.MustParseAddrPort("10.0.0.1:0"),
			netip.MustParseAddrPort("[2001:db8::1]:1"), netip.MustParseAddrPort("224.0.0.1:1")}
		for _, seeds := range [][]netip.AddrPort{nil, useless, l.seeds(10)} {
			if _, err := get(t, l, seeds, [32]byte{1}, 0); !errors.Is(err, ErrNoNodes) {
				t.Fatal(err)
			}
		}
		if n := len(l.questions("get")); n != 10 {
			t.Fatalf("%d questions", n)
		}
	})
}

func TestSeedsMayComeInTheLongForm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, i := newLab(t, 40), newOwner(1).item(1, "v")
		if _, err := put(t, l, l.seeds(3), i); err != nil {
			t.Fatal(err)
		}
		var long []netip.AddrPort
		for _, s := range l.seeds(3) {
			mapped := netip.AddrFrom16(s.Addr().As16())
			long = append(long, netip.AddrPortFrom(mapped, s.Port()), s)
		}
		if _, err := get(t, l, long, i.Key, 0); err != nil {
			t.Fatal(err)
		}
		seen := make(map[netip.AddrPort]int)
		for _, q := range l.questions("get") {
			if seen[q.to]++; seen[q.to] > 2 { // one by the put, one by the get
				t.Fatal("a node was asked twice")
			}
		}
	})
}
