// Claims about nodes that do not keep what they are given.

package walk

import (
	"slices"
	"testing"
)

// swallow makes of so many nodes of a hundred some that take everything and give nothing back.
func swallow(l *lab, percent int) {
	for n, f := range l.order {
		if (n*37)%100 < percent {
			f.act = func(q sent) [][]byte {
				if string(q.d.str("q")) == "put" {
					return [][]byte{reply(q, dict{{"id", encodeString(f.id[:])}})}
				}
				return [][]byte{l.honest(f, q)}
			}
		}
	}
}

func TestThoseWhoKeepNothingAreNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, percent := range []int{0, 90} {
			l := newLab(t, 100)
			swallow(l, percent)
			kept, probed := 0, 0
			for seed := range byte(30) {
				o := newOwner(seed)
				if _, err := put(t, l, l.seeds(8), o.item(1, "v")); err != nil {
					t.Fatal(err)
				}
				r, _ := l.road(t.Context(), l.seeds(16)[8:])
				_, err := r.Put(t.Context(), o.key(), 1,
					func(*Item) (Item, bool) { return o.item(2, "v"), true })
				if err != nil {
					t.Fatal(err)
				}
				k, p := r.Kept()
				kept, probed = kept+k, probed+p
				r.Close()
			}
			share := float64(kept) / float64(probed)
			if probed < 20 || percent == 0 && share < 0.9 || percent == 90 && share > 0.4 {
				t.Errorf("%d %% swallow, and %d of %d kept it", percent, kept, probed)
			}
		}
	})
}

func TestWhoIsWaryIsFoundMoreOften(t *testing.T) {
	bubble(t, func(t *testing.T) {
		found := func(wary bool) (n int) {
			for seed := range byte(40) {
				l, i := newLab(t, 100), newOwner(seed).item(1, "v")
				swallow(l, 92)
				put := func(r *Road) error {
					defer r.Close()
					_, err := r.Put(t.Context(), i.Key, 0,
						func(*Item) (Item, bool) { return i, true })
					return err
				}
				w, _ := l.road(t.Context(), l.seeds(60))
				w.Wary = wary
				if err := put(w); err != nil {
					t.Fatal(err)
				}
				reversed := l.seeds(60)
				slices.Reverse(reversed)
				r, _ := l.road(t.Context(), reversed)
				r.Wary = wary
				if got, err := r.Get(t.Context(), i.Key, 0); err == nil && got.same(&i) {
					n++
				}
				r.Close()
			}
			return n
		}
		if wary, other := found(true), found(false); wary <= other {
			t.Errorf("%d of 40 are found by who is wary, %d by others", wary, other)
		}
	})
}
