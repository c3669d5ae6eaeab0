// Claims about where an identity that goes by addresses may send, and how often.

package node

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/card"
	"nightjar/onion/inet"
)

func TestStrollLeadsToTheInternetAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids, err := vaults()
		if err != nil {
			t.Fatal(err)
		}
		for _, private := range []bool{false, true} {
			way := inet.New().Way(inet.Open)
			n, err := New(Config{Identity: ids[0], Packets: way, Private: private})
			if err != nil {
				t.Fatal(err)
			}
			conn, _, err := (&stroller{n}).Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			gate, ok := conn.(interface{ Allows(netip.AddrPort) bool })
			if !ok {
				t.Fatal("the socket does not say where it may send")
			}
			for _, a := range []string{"127.0.0.1:5353", "192.168.1.1:8080", "100.64.0.1:5353",
				"[fd00::1]:5353"} {
				if gate.Allows(netip.MustParseAddrPort(a)) != private {
					t.Errorf("private %v: %s", private, a)
				}
			}
			if gate.Allows(netip.MustParseAddrPort("9.9.9.9:53")) ||
				!gate.Allows(netip.MustParseAddrPort("9.9.9.9:6881")) {
				t.Error("a service's port is open, or a node's is not")
			}
			_ = way.Close()
		}
	})
}

// oftenShare is for what part of a day we knock often at a contact that names a new victim twice an
// hour.
func oftenShare(t *testing.T, note func(*Node, card.Address, card.Reach)) (share float64) {
	synctest.Test(t, func(t *testing.T) {
		n := &Node{packets: inet.New().Way(inet.Open), found: map[card.Address]finding{}}
		a := card.Address{1}
		for i := range 48 {
			victim := netip.AddrPortFrom(netip.AddrFrom4([4]byte{20, byte(i), 0, 1}), 4000)
			note(n, a, card.Reach{At: []netip.AddrPort{victim}})
			<-time.After(30 * time.Minute)
			if f := n.found[a]; f.reach.At[0] != victim {
				t.Fatal("the newest place is not the one that is tried")
			} else if time.Since(f.news) <= lately {
				share += 1. / 48
			}
		}
	})
	return share
}

func TestContactThatMovesAllTheTimeIsNotKnockedAtOften(t *testing.T) {
	if share := oftenShare(t, (*Node).note); share > 0.3 {
		t.Errorf("often for %.0f %% of the day", 100*share)
	}
	naive := func(n *Node, a card.Address, r card.Reach) {
		n.found[a] = finding{reach: r, news: time.Now()}
	}
	if oftenShare(t, naive) < 0.9 {
		t.Error("the naive node does not knock often either: this test proves nothing")
	}
}
