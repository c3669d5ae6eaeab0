// What a newcomer needs next, in another terminal, ready to be copied.

package main

import (
	"fmt"
	"strings"
)

// welcome shows the commands that work from now on.
func (e *engine) welcome() {
	c := e.console
	if c.home != "" {
		c.home = string(e.place.home) // another terminal may stand in another directory
	}
	if c.as = ""; !e.door.Alone() {
		c.as = e.node.Status().Address.String()[:shortAddress]
	}
	c.line("%s", strings.Join(nextCommands(e.node.Status().Gateways == 0, e.phone != nil), "\n"))
}

// shortAddress is how many letters of an address tell identities of one machine apart.
const shortAddress = 8

// nextCommands lists what a newcomer can do, in the order in which it is done.
func nextCommands(gateway, phone bool) []string {
	lines := []string{"from here, in another terminal:"}
	add := func(what, command string) {
		lines = append(lines, fmt.Sprintf("  %-32s: nightjar %s", what, command))
	}
	if gateway {
		add("first, as no gateway is known", "gateway add LINE")
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
