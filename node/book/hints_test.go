// Claims about what contacts tell without being asked.

package book

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"nightjar/node/card"
)

// someGateway is the i-th gateway of a flood.
func someGateway(i int) card.Gateway {
	return card.Gateway{ID: strings.Repeat("c", 56), Port: uint16(i + 1)}
}

// someNode is the i-th DHT node of a flood.
func someNode(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 1}), 6881)
}

func TestHintsEvictNothing(t *testing.T) {
	b, naive := &Book{}, &Book{}
	own, brought := card.Gateway{ID: strings.Repeat("a", 56), Port: 1}, someNode(9999)
	for _, bk := range []*Book{b, naive} {
		bk.LearnGateway(own)
		bk.AddNode(brought)
	}
	for i := range 20 {
		must(t, b.Add(Contact{Name: b.FreeName(""), Address: card.Address{byte(i), 1}}))
	}
	for i := range 20 * 50 { // twenty contacts, each on fifty days
		gateways := []card.Gateway{someGateway(2 * i), someGateway(2*i + 1)}
		nodes := []netip.AddrPort{someNode(2 * i), someNode(2*i + 1)}
		b.TakeHint(card.Address{byte(i % 20), 1}, gateways, nodes, int64(24*(i/20+1)))
		for j := range 2 {
			naive.LearnGateway(gateways[j])
			naive.AddNode(nodes[j])
		}
	}
	if !slices.Contains(b.Learned, own) || !slices.Contains(b.Nodes, brought) ||
		len(b.Learned) != MaxGateways/2 || len(b.Nodes) != maxNodes/2 {
		t.Errorf("%d gateways, %d nodes", len(b.Learned), len(b.Nodes))
	}
	if slices.Contains(naive.Learned, own) || slices.Contains(naive.Nodes, brought) {
		t.Error("the naive book evicts nothing either: this test proves nothing")
	}
}

func TestContactTellsSoMuchAndSoOften(t *testing.T) {
	b := full(t)
	before, nodes := len(b.Learned), len(b.Nodes)
	tell := func(i int, hour int64) bool {
		return b.TakeHint(card.Address{1}, []card.Gateway{someGateway(i)},
			[]netip.AddrPort{someNode(i)}, hour)
	}
	if !tell(0, 1000) || tell(1, 1000) || tell(1, 1011) || tell(0, 1012) || !tell(1, 1012) {
		t.Error("hints are taken at the wrong times")
	}
	for i := range 100 {
		tell(i, int64(2000+20*i))
	}
	if len(b.Learned)-before != HintGateways || len(b.Nodes)-nodes != HintNodes {
		t.Errorf("one contact brought %d gateways, %d nodes", len(b.Learned)-before,
			len(b.Nodes)-nodes)
	}
	if b.TakeHint(card.Address{77}, []card.Gateway{someGateway(200)}, nil, 9999) {
		t.Error("a stranger's hint is taken")
	}
}
