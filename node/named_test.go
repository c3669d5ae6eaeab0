// Claims about DHT nodes that a contact alone named.

package node

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet/atlas"
	"nightjar/onion/inet"
)

// asksPlanted reports whether a node that eve planted is asked for our address, and whether walks
// begin with it, where so many others are known; and whether it is after eve was removed.
func asksPlanted(t *testing.T, others int, plant func(b *book.Book, a netip.AddrPort)) (
	witness, seed, after bool) {
	inWorld(t, func(t *testing.T, w *world) {
		ids, err := vaults()
		if err != nil {
			t.Fatal(err)
		}
		way := inet.New().Way(inet.Open)
		n, err := New(Config{Identity: ids[0], Packets: way})
		if err != nil {
			t.Fatal(err)
		}
		planted := netip.MustParseAddrPort("77.1.0.1:6881")
		err = n.change(func(b *book.Book) error {
			eve := book.Contact{Name: "eve", Address: card.Address{1}, Standing: book.Accepted}
			if err := b.Add(eve); err != nil {
				return err
			}
			plant(b, planted)
			for i := range others {
				b.AddNode(netip.AddrPortFrom(netip.AddrFrom4([4]byte{88, byte(i), 0, 1}), 6881))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // it answers walks as well
			n.atlas.Learn(atlas.Direct, nil, []netip.AddrPort{planted}, time.Now())
		}
		witness = slices.Contains(n.witnesses(), planted)
		seed = slices.Contains(n.seeds(nil), planted)
		if err := n.Remove("eve"); err != nil {
			t.Fatal(err)
		}
		after = slices.Contains(append(n.witnesses(), n.seeds(nil)...), planted)
		_ = way.Close()
	})
	return witness, seed, after
}

func TestContactsOwnNodeIsNotAskedWhileThereAreOthers(t *testing.T) {
	hint := func(b *book.Book, a netip.AddrPort) {
		if !b.TakeHint(card.Address{1}, nil, []netip.AddrPort{a}, 500_000) {
			t.Error("the hint is not taken")
		}
	}
	if witness, seed, after := asksPlanted(t, 20, hint); witness || seed || after {
		t.Errorf("asked: %v, a seed: %v, after eve was removed: %v", witness, seed, after)
	}
	if witness, seed, after := asksPlanted(t, 2, hint); !witness || !seed || after {
		t.Errorf("with few others asked: %v, a seed: %v, after: %v", witness, seed, after)
	}
	naive := func(b *book.Book, a netip.AddrPort) { b.AddNode(a) } // who named it is forgotten
	if witness, seed, after := asksPlanted(t, 20, naive); !witness || !seed || !after {
		t.Error("the naive book's node is not asked either: this test proves nothing")
	}
}
