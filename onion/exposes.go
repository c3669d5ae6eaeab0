// Who learns what when tor is the path.

package onion

import (
	"nightjar/onion/bridge"
	"nightjar/onion/exposure"
	"nightjar/onion/torconf"
)

// Exposes says who learns what on this path: what every tor shows, and what this way into the
// network, or another's tor, shows besides.
func (t *Tor) Exposes() []Exposure {
	all := exposure.Of(exposure.Tor)
	if line, err := bridge.Parse(t.Way()); err == nil && line.LooksUp() {
		all = append(all, Exposure{Who: "your network's DNS",
			Learns: "the host names in the bridge line, which " +
				"its transport looks up by itself", Hidden: "whom you reach"})
	}
	if t.Exits() {
		all = append(all, Exposure{Who: "exits of the Tor network",
			Learns: "which https relays are asked, and when",
			Hidden: "who asks, and what"})
	}
	if t.process().Foreign() {
		all = append(all, Exposure{Who: "whoever runs the tor that you share",
			Learns: "your onion " +
				"services, their keys and those of your contacts' services",
			Hidden: "what you say"})
	}
	return all
}

// Limits says in words what is not as it would be with a tor of our own; empty if it is our own.
func (t *Tor) Limits() []string {
	if !t.process().Foreign() {
		return nil
	}
	words := []string{
		"the tor is not ours: other programs share its guards, and can be linked with you by " +
			"when it is up",
		"the tor is not ours: its settings, its log and what it keeps on disk are its owner's; " +
			"only its version (" + torconf.MinVersion + " or later) and its anonymous mode were " +
			"checked",
		"the tor is not ours: identities are kept apart by SOCKS credentials alone, if its SOCKS " +
			"socket has IsolateSOCKSAuth (the default)",
		"the tor is not ours: it must be able to reach us (a unix socket in our directory if its " +
			"SOCKS socket is one, else a TCP port of this machine, where other programs can " +
			"knock too); where it is on another machine (Whonix) contacts cannot dial us, and " +
			"we dial them",
		"the tor is not ours: it is not started again, nor its connections made anew, by us",
	}
	if t.refused.Load() {
		words = append(words, "the tor is not ours, and refused to publish our onion service: "+
			"contacts cannot dial us, and we dial them (a filter before it, or its Sandbox, "+
			"can do that)")
	}
	return words
}
