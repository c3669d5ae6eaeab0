// How a contact is found by addresses, step by step, and who could see what of it.

package node

import (
	"fmt"

	"nightjar/node/book"
	"nightjar/node/card"
)

// explainAddresses is the steps from the invitation on, as they are done by addresses.
func (n *Node) explainAddresses(c book.Contact, nodes int) (out []Step) {
	if c.Ours() && !c.Met {
		c.Bell = card.Gateway{} // onion services are not dialled
		s := explainInvitation(c)
		s.Sees = views([]view{
			{"everybody who has the same card", "that somebody leaves invitations, and when",
				"who, or what they say"},
			{"DHT nodes", "that the address of the way out leaves random looking bytes of a " +
				"constant size", "whose they are, for whom, or that they are an invitation"}})
		out = append(out, s)
	}
	return append(out, n.explainNodes(nodes), explainSeen(), explainStoring(), explainAsking(),
		explainKnocking())
}

func (n *Node) explainNodes(nodes int) Step {
	return Step{What: fmt.Sprintf("the way into the DHT begins at nodes (%d that answered "+
		"before, %d from cards, bundles and contacts), each time from a socket of its own; no "+
		"address is built in, and no gateway is needed", n.cached(), nodes)}
}

func explainSeen() Step {
	return Step{
		What: "a few of these nodes are asked as whom they see you, the first time three, then " +
			"one about every 25 seconds, more seldom while a tunnel stands: what two agree on is " +
			"where you can be reached",
		Sees: views([]view{
			{"the nodes that are asked", "the address of the way out, the port of your tunnels, " +
				"and while it asks, that something is there",
				"who you are, or whom you talk with"}})}
}

func explainStoring() Step {
	return Step{
		What: "where only this contact can reach you is stored, sealed, under a key that both " +
			"derive from your secrets and that changes every six hours; again after 40 to 80 " +
			"minutes, each slot at times of its own",
		Sees: views([]view{
			{"the DHT nodes that store it", "the address of the way out, a random " +
				"key, bytes of constant size, and when: slots that one address stores can be " +
				"seen to belong together", "who you are, who reads it, or what it holds"},
			{"this contact", "the address of the way out, that you are there, and when you were " +
				"last", "what the way out hides"}})}
}

func explainAsking() Step {
	return Step{
		What: "the contact's slot of these six hours is asked for, from a socket of its own",
		Sees: views([]view{
			{"DHT nodes on the way", "that the address of the way out looks for the slot",
				"who you are, who the contact is, or what the slot holds"}})}
}

func explainKnocking() Step {
	return Step{
		What: "the address that the slot names is knocked at for a minute, and again at moments " +
			"that follow from your secrets, when the contact knocks as well; both prove who they " +
			"are inside the sealed tunnel",
		Sees: views([]view{
			{"whoever is between the two ways out", "that two addresses exchange random looking " +
				"datagrams of a few sizes, how many, and when",
				"what they say, who they are, or that they are contacts"},
			{"this contact", "that it is you, and the address of the way out",
				"what the way out hides"}})}
}
