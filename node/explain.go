// How a contact is found, step by step, and who could see what of it.

package node

import (
	"fmt"
	"time"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/onion"
)

// smallNetwork is how many nodes a DHT must have before a few hundred hostile ones cannot be all
// the nodes near a slot.
const smallNetwork = 10_000

// wrongClock is how far a clock may be off before contacts do not find each other.
const wrongClock = 30 * time.Minute

// Step is one step of finding a contact.
type Step struct {
	What string           `json:"what"` // what is done
	Sees []onion.Exposure `json:"sees"` // who could see what of it
}

// view is one party, what it learns, and what it does not.
type view [3]string

func views(list []view) (out []onion.Exposure) {
	for _, v := range list {
		out = append(out, onion.Exposure{Who: v[0], Learns: v[1], Hidden: v[2]})
	}
	return out
}

// Explain tells each step of finding a contact as it would be done now, and who could see what of
// it. The words are ours. book.ErrUnknown when there is no such contact.
func (n *Node) Explain(contact string) ([]Step, error) {
	var c book.Contact
	var err error
	gateways, nodes := 0, 0
	n.look(func(b *book.Book) {
		var found *book.Contact
		if found, err = b.Contact(contact); err == nil {
			c = *found
		}
		gateways, nodes = len(b.Roads()), len(b.Nodes)
	})
	if err != nil {
		return nil, err
	}
	steps := []Step{n.explainPath()}
	if c.Standing == book.Asking {
		return append(steps, Step{What: "nothing more: nothing leaves this machine for somebody " +
			"who asks, before you accept"}), nil
	}
	if n.packets != nil {
		return append(steps, n.explainAddresses(c, nodes)...), nil
	}
	if c.Ours() && !c.Met {
		steps = append(steps, explainInvitation(c))
	}
	return append(steps, n.explainBootstrap(gateways, nodes), n.explainPublishing(gateways),
		explainLooking(gateways), explainTunnel()), nil
}

func (n *Node) explainPath() Step {
	return Step{What: "everything below goes over the way out", Sees: n.road.Exposes()}
}

func explainInvitation(c book.Contact) Step {
	s := Step{What: "the sealed invitation is left in two places that follow from the contact's " +
		"card and the day, and again each hour for a week"}
	if c.Bell != (card.Gateway{}) {
		s.What = "the sealed invitation is handed in at the doorbell that the card names"
		if c.Both {
			s.What += ", and left in the inbox as well"
		}
	}
	s.Sees = views([]view{
		{"everybody who has the same card", "that somebody leaves invitations, and when",
			"who, or what they say"},
		{"gateways and DHT nodes", "only that random looking bytes of a constant size are left",
			"whose they are, for whom, or that they are an invitation"}})
	return s
}

// cached is how many nodes of the DHT are known to have answered.
func (n *Node) cached() int {
	if n.atlas == nil {
		return 0
	}
	return len(n.atlas.Seeds(1<<10)) + len(n.atlas.Own(1<<10))
}

func (n *Node) explainBootstrap(gateways, nodes int) Step {
	return Step{What: fmt.Sprintf("the way into the DHT begins at a gateway (known: %d) and at "+
		"nodes (%d that answered before, %d from cards, bundles and contacts); no address is "+
		"built in", gateways, n.cached(), nodes)}
}

// others says how many gateways see a share of what we do.
func others(gateways int) string {
	if gateways < 2 {
		return "and so each slot you use, as there is no other gateway"
	}
	return fmt.Sprintf("of the slots you use about one in %d, each over another circuit", gateways)
}

func (n *Node) explainPublishing(gateways int) Step {
	return Step{
		What: "where only this contact can reach you is stored, sealed, under a key that both " +
			"derive from your secrets and that changes every six hours; again after 40 to 80 " +
			"minutes, each slot at times of its own",
		Sees: views([]view{
			{"the gateway that carries it", "one slot: a random key, bytes of constant size, and " +
				"when; " + others(gateways), "who you are, whose slot it is, who reads it, or " +
				"which other slots are yours"},
			{"the DHT nodes that store it", "the same, with the gateway's address " +
				"for yours", "who you are, or that the slot of the next six hours is yours too"},
			{"this contact", "that you are there, and when you were last",
				"where you are"}})}
}

func explainLooking(gateways int) Step {
	return Step{
		What: "the contact's slot of these six hours is asked for, first of a gateway that " +
			"walks the DHT for you; if it finds nothing, by your own walk through another",
		Sees: views([]view{
			{"the gateway that is asked", "one slot that somebody looks for; " + others(gateways),
				"who you are, who the contact is, or what the slot holds"},
			{"DHT nodes on the way", "that somebody behind the gateway looks for the slot",
				"who you are, who the contact is, or what the slot holds"}})}
}

func explainTunnel() Step {
	return Step{
		What: "the onion service that the slot names is dialled on a circuit of its own, and " +
			"both prove who they are inside the sealed tunnel",
		Sees: views([]view{
			{"relays on the circuit", "when bytes of constant size pass", "both ends of it"},
			{"this contact", "that it is you", "where you are"}})}
}

// health estimates the size of the DHT, and warns.
func (n *Node) health() (size int, warnings []string) {
	if m, ok := n.meet.(interface{ Size() int }); ok {
		if size = m.Size(); size > 0 && size < smallNetwork {
			warnings = append(warnings, fmt.Sprintf("the DHT seems to have only about %d nodes: "+
				"somebody who runs a few hundred could hide records, though not read them", size))
		}
	}
	if m, ok := n.meet.(interface{ ClockAhead() time.Duration }); ok {
		if d := m.ClockAhead(); d.Abs() > wrongClock {
			way := "ahead of"
			if d < 0 {
				way = "behind"
			}
			warnings = append(warnings, fmt.Sprintf("this machine's clock seems to be %v %s the "+
				"others': contacts will not find you before it is right", d.Abs(), way))
		}
	}
	return size, warnings
}
