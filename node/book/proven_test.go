// Claims about what a stranger's card can push out of the book.

package book

import (
	"slices"
	"strings"
	"testing"

	"nightjar/node/card"
)

func TestCardsPushOutNothingThatProvedItself(t *testing.T) {
	b, naive := full(t), full(t)
	b.Gateways, b.Learned, naive.Gateways, naive.Learned = nil, nil, nil, nil
	own := card.Gateway{ID: strings.Repeat("a", 56), Port: 1}
	good, bad := someGateway(5000), someGateway(5001)
	for _, bk := range []*Book{b, naive} {
		bk.AddGateway(own)
		bk.LearnGateway(bad)
		bk.LearnGateway(good)
	}
	if b.Prove(own) || !b.Prove(good) || b.Prove(good) {
		t.Error("what proves itself is not what was learned, once")
	}
	for i := range 20 { // hostile cards, each with as many as fit on one
		for j := range 8 {
			b.LearnGateway(someGateway(8*i + j))
			naive.Learned = remember(naive.Learned, someGateway(8*i+j), MaxGateways)
		}
	}
	roads := b.Roads()
	if !slices.Contains(roads, own) || !slices.Contains(roads, good) ||
		slices.Contains(roads, bad) || len(b.Learned) != MaxGateways {
		t.Errorf("%d gateways: the wrong ones stay", len(roads))
	}
	if slices.Contains(naive.Roads(), good) {
		t.Error("the naive book keeps it too: this test proves nothing")
	}
	again := *b
	if out, err := b.Encode(1 << 20); err != nil {
		t.Error(err)
	} else if back, err := Decode(out); err != nil || !slices.Equal(back.Proven, again.Proven) {
		t.Errorf("after reading it again: %v", err)
	}
}

func TestHouseThatIsFullOfProvenGatewaysTakesNoMore(t *testing.T) {
	b := &Book{}
	for i := range MaxGateways {
		b.LearnGateway(someGateway(i))
		b.Prove(someGateway(i))
	}
	if b.LearnGateway(someGateway(100)) || len(b.Learned) != MaxGateways {
		t.Error("one more is taken")
	}
	if !b.Doubt(someGateway(3)) || b.Doubt(someGateway(3)) || !b.LearnGateway(someGateway(100)) ||
		slices.Contains(b.Learned, someGateway(3)) {
		t.Error("the one in doubt does not give way")
	}
	b.AddGateway(someGateway(4)) // no learned one any more
	b.Prove(someGateway(100))
	if b.proven(someGateway(4)) || len(b.Proven) > MaxGateways {
		t.Errorf("%d are proven", len(b.Proven))
	}
}

func TestCardsNodesPushOutNoneAndMakeRoomOnceOthersAreKnown(t *testing.T) {
	b := &Book{}
	b.TryNode(someNode(9999))
	for i := range 10 * maxNodes {
		b.TryNode(someNode(i))
	}
	if !slices.Contains(b.Nodes, someNode(9999)) || len(b.Nodes) != maxNodes {
		t.Errorf("%d nodes", len(b.Nodes))
	}
	if !b.SpareNodes() || b.SpareNodes() || !b.TryNode(someNode(7777)) {
		t.Error("there is no room when others are known")
	}
}
