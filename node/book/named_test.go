// Claims about the DHT nodes that a contact alone named.

package book

import (
	"net/netip"
	"slices"
	"testing"

	"nightjar/node/card"
)

func TestRemovedContactLeavesNoNodeBehind(t *testing.T) {
	b := &Book{}
	b.AddNode(someNode(1))
	for i, name := range []string{"eve", "friend"} {
		must(t, b.Add(Contact{Name: name, Address: card.Address{byte(i)}, Standing: Accepted}))
	}
	nodes := func(list ...int) (out []netip.AddrPort) {
		for _, i := range list {
			out = append(out, someNode(i))
		}
		return out
	}
	must(t, b.TakeNodes(card.Address{0}, nodes(1, 2))) // on its card
	if !b.TakeHint(card.Address{0}, nil, nodes(3, 4), 1000) {
		t.Fatal("its hint is not taken")
	}
	b.TakeHint(card.Address{1}, nil, nodes(4, 5), 1000)
	if got := b.Alone(""); !slices.Equal(got, nodes(2, 3, 5)) {
		t.Errorf("named by one contact alone: %v", got)
	}
	if got := b.Alone("eve"); !slices.Equal(got, nodes(2, 3)) {
		t.Errorf("by eve alone: %v", got)
	}
	out, err := b.Encode(1 << 20)
	must(t, err)
	read, err := Decode(out)
	must(t, err)
	// The naive book remembers the nodes, but not who named them.
	naive, err := Decode(out)
	must(t, err)
	for i := range naive.Contacts {
		naive.Contacts[i].Named = nil
	}
	must(t, read.Remove("eve"))
	must(t, naive.Remove("eve"))
	if !slices.Equal(read.Nodes, nodes(1, 4, 5)) {
		t.Errorf("left are %v", read.Nodes)
	}
	if !slices.Contains(naive.Nodes, someNode(3)) {
		t.Error("the naive book forgets it too: this test proves nothing")
	}
	must(t, read.Remove("friend"))
	if !slices.Equal(read.Nodes, nodes(1)) {
		t.Errorf("left are %v", read.Nodes)
	}
}

func TestContactNamesSoManyNodes(t *testing.T) {
	b := &Book{}
	must(t, b.Add(Contact{Name: "eve", Standing: Accepted}))
	for i := range 100 {
		must(t, b.TakeNodes(card.Address{}, []netip.AddrPort{someNode(i)}))
	}
	if len(b.Nodes) != maxNamed || len(b.Contacts[0].Named) != maxNamed {
		t.Errorf("%d nodes, %d named", len(b.Nodes), len(b.Contacts[0].Named))
	}
	if b.TakeNodes(card.Address{9}, nil) != ErrUnknown {
		t.Error("a stranger's nodes are taken")
	}
}
