// What a newcomer needs next, in another terminal, ready to be copied.

package main

import (
	"context"
	"fmt"
	"strings"

	"nightjar/cmd/control"
)

// welcome shows the commands that work from now on.
func (e *engine) welcome(ctx context.Context) {
	c := e.console
	if c.home != "" {
		c.home = string(e.place.home) // another terminal may stand in another directory
	}
	self := e.node.Status().Address.String()
	if c.as = ""; control.Beside(ctx, string(e.place.home), self, e.seats()) > 0 {
		c.as = self[:shortAddress]
	}
	what, command := e.lacks()
	c.line("%s", strings.Join(nextCommands(what, command, e.phone != nil), "\n"))
}

// lacks is the command that opens the network, if nothing did yet: what it is depends on the way
// out.
func (e *engine) lacks() (what, command string) {
	s := e.node.Status()
	switch {
	case e.way.Tor == nil && s.Network == 0:
		return "first, if no card names nodes", "bundle import FILE"
	case e.way.Tor != nil && s.Gateways == 0:
		return "first, as no gateway is known", "gateway add LINE"
	}
	return "", ""
}

// shortAddress is how many letters of an address tell identities of one machine apart.
const shortAddress = 8

// nextCommands lists what a newcomer can do, in the order in which it is done.
func nextCommands(what, command string, phone bool) []string {
	lines := []string{"from here, in another terminal:"}
	add := func(what, command string) {
		lines = append(lines, fmt.Sprintf("  %-32s: nightjar %s", what, command))
	}
	if command != "" {
		add(what, command)
	}
	add("your card, for others to add", "card show")
	add("ask somebody whose card you have", "contact add CARD")
	add("see who asks you, and accept", "contact list")
	add("write", `send NAME "hello"`)
	add("read", "read")
	if phone {
		add("what to type into a SIP phone", "phone show")
	}
	return lines
}
