// Who is who, and what each may send.

package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	phones "nightjar/audit/privnet/phone"
	"nightjar/audit/scenes/ground"
	"nightjar/audit/scenes/play"
	"nightjar/audit/watch"
)

// Roles. The world is the audit's own process: the DHT nodes live in it.
const (
	world     = "world"
	relay     = "relay"
	tor       = "tor"
	transport = "transport" // of a tor that enters by a bridge
	guard     = "guard"     // the process that nightjar up is; without a seal, all of it
	engine    = "engine"
	gateway   = "gateway"
	command   = "command"
	phone     = "phone"
	control   = "control"
	far       = "far"      // in a namespace of its own
	resolver  = "resolver" // of this machine, which takes questions
	without   = "without"  // on its way to become nightjar, on a kernel that lacks something
	foreign   = "program"  // that a user wants watched, and what it starts
)

// naming says who a process is; own is the program of the audit itself.
func naming(own string) watch.Namer {
	return func(p watch.Process) watch.Owner {
		switch base := filepath.Base(p.Program); {
		case p.PID == os.Getpid():
			return watch.Owner{Role: world}
		case p.Program == own:
			return watch.Owner{Role: part(p.Args)}
		case p.Parent.Role == foreign:
			return watch.Owner{Role: foreign, Of: base}
		case strings.HasPrefix(base, "nightjar"):
			return ours(p)
		case slices.Contains([]string{"sh", "dash", "faketime"}, base) && p.Parent.Role == guard:
			return p.Parent // on its way to become tor
		case base == "tor" && p.Parent.Role == world:
			return watch.Owner{Role: relay}
		case base == "tor" && slices.Contains([]string{guard, engine, gateway}, p.Parent.Role):
			return watch.Owner{Role: tor, Of: p.Parent.Of}
		case base == "tor" && strings.HasSuffix(p.Parent.Role, play.ByWay):
			return watch.Owner{Role: tor + play.ByWay, Of: p.Parent.Of}
		case base == "obfs4proxy" && p.Parent.Role == relay:
			return watch.Owner{Role: relay}
		case base == "obfs4proxy" && p.Parent.Role == tor:
			return watch.Owner{Role: transport, Of: p.Parent.Of}
		case base == "baresip" || base == "linphonec":
			return watch.Owner{Role: phone}
		default:
			return watch.Owner{Role: "another program", Of: base}
		}
	}
}

// part is the role of a process of the audit itself.
func part(args []string) string {
	if i := slices.Index(args, "-part"); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return world // on its way to become another program
}

// ours names a process of nightjar by its arguments and its parent.
func ours(p watch.Process) watch.Owner {
	o := watch.Owner{Role: command, Of: home(p.Args)}
	if len(p.Args) < 2 {
		return o
	}
	switch word := p.Args[1]; {
	case word == "engine" && p.Parent.Role == gateway:
		return p.Parent
	case word == "engine" && p.Parent.Role == guard+play.ByWay:
		return watch.Owner{Role: engine + play.ByWay, Of: p.Parent.Of}
	case word == "engine":
		return watch.Owner{Role: engine, Of: p.Parent.Of}
	case word == "up" && elsewhere(p.Args):
		o.Role = guard + play.ByWay
	case word == "up":
		o.Role = guard
	case word == "gateway" && len(p.Args) > 2 && strings.HasPrefix(p.Args[2], "-"):
		o.Role = gateway
	}
	return o
}

// elsewhere reports whether the arguments choose another way out than tor.
func elsewhere(args []string) bool {
	i := slices.Index(args, "--path")
	return i >= 0 && i+1 < len(args) && args[i+1] != "tor"
}

// home is whose home directory the arguments name.
func home(args []string) string {
	if i := slices.Index(args, "--home"); i >= 0 && i+1 < len(args) {
		return filepath.Base(args[i+1])
	}
	return ""
}

// rules are what everybody may send: tor to its relays, the gateway to the DHT, phones to engines.
func rules() watch.Rules {
	r := watch.Rules{
		Indoors: []string{guard, engine, command, transport},
		Closed:  []string{tor, tor + play.ByWay},
		Scenery: []string{world, relay},
	}
	r.Own = map[netip.Addr]string{netip.MustParseAddr(phones.SteeredFrom): world}
	for _, a := range play.Lenders() {
		r.Own[netip.MustParseAddr(a)] = gateway
	}
	both := func(proto byte, a, b string) {
		r.Pairs = append(r.Pairs, watch.Pair{From: a, To: b, Proto: proto},
			watch.Pair{From: b, To: a, Proto: proto})
	}
	both(watch.TCP, tor, relay)
	both(watch.TCP, tor, transport)
	both(watch.TCP, transport, relay)
	both(watch.TCP, relay, relay)
	both(watch.TCP, relay, world)
	both(watch.TCP, world, world)
	both(watch.UDP, world, world)
	both(watch.UDP, gateway, world)
	both(watch.TCP, phone, world) // the audit steers it
	both(watch.TCP, phone, phone)
	for _, proto := range []byte{watch.TCP, watch.UDP} {
		both(proto, phone, engine)
		both(proto, phone, guard)
	}
	for _, to := range play.Deaf() {
		r.Exits = append(r.Exits, watch.Exit{Role: tor, Proto: watch.TCP, To: to},
			watch.Exit{Role: transport, Proto: watch.TCP, To: to})
	}
	// tor leaves by a port of theirs, and is refused there in no time while the way is lost.
	r.Called = []string{guard + play.ByWay, engine + play.ByWay}
	for _, role := range r.Called {
		both(watch.TCP, tor+play.ByWay, role)
		r.Exits = append(r.Exits, wayExits(role)...)
	}
	return r
}

// wayExits are what a role may send by another way than tor: to where the way leads.
func wayExits(role string) []watch.Exit {
	out := []watch.Exit{
		{Role: role, Proto: watch.UDP, To: netip.MustParseAddrPort(ground.Endpoint)},
		{Role: role, Proto: watch.TCP, To: netip.MustParseAddrPort(ground.Proxy)},
		{Role: role, Proto: watch.UDP, To: netip.MustParseAddrPort(ground.Relay)},
	}
	for _, node := range play.Nodes() {
		out = append(out, watch.Exit{Role: role, Proto: watch.UDP, To: node,
			Interface: ground.Interface})
	}
	return out
}
