// Two processes: the one the user starts, which guards, and the engine that it starts, which has
// the secrets and no network.

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"

	"nightjar/cmd/control"
	"nightjar/cmd/warden"
	"nightjar/onion/seal"
	"nightjar/onion/torproc"
)

// engineWord begins the arguments of an engine that was started by a warden.
const engineWord = "engine"

// errUnsealed is a process that is not sealed although it was told to be.
var errUnsealed = errors.New("the engine cannot be sealed on this system")

// errAstray is a tor that could be made to go past its VPN, although nothing was to be.
var errAstray = errors.New("this system cannot hold tor to the VPN")

// ended is the exit code of an engine that has said already why it ended.
type ended int

func (ended) Error() string { return "the engine has ended" }

// A guard is what an engine is to have, besides what every engine has.
type guard struct {
	place place
	tor   torFlags
	route route
	read  []string // files
	open  map[string]func(context.Context) (*os.File, error)
}

// inherit takes from a warden what the arguments alone do not say: the home, whose name may depend
// on who and where the user is, and the descriptor of passwords.
func (o *options) inherit(c console) {
	if c.ward == nil {
		return
	}
	o.home = c.ward.Order.Home
	if o.password >= 0 {
		o.password = c.ward.Order.PasswordFD
	}
}

// guarded runs a command as an engine under a warden, and returns true when it has ended. It
// returns false where the command is the engine: started by a warden, or on a system without.
func (o *options) guarded(ctx context.Context, c console, name string, args []string, g guard) (
	bool, error) {
	if c.ward != nil {
		return false, nil
	}
	lines, err := optionLines(*g.tor.torrc)
	if err == nil {
		err = g.route.agrees(lines)
	}
	if err != nil {
		return true, err
	}
	config := warden.Config{
		Command: []string{engineWord},
		Order:   warden.Order{Args: append([]string{name}, args...), Home: string(g.place.home)},
		Files: seal.Files{Dirs: []string{string(g.place.home)}, Write: []string{"/dev/tty"},
			Read: append(g.read, "/proc/swaps", "/etc/localtime", "/usr/share/zoneinfo")},
		TorExe: *g.tor.exe, TorOptions: lines, TorExits: g.tor.exits.allowed(),
		Seats: string(g.place.home), Open: g.open, Way: g.route.way(),
		Starter: g.tor.existing(),
	}
	if g.place.memory {
		config.TorDir = g.place.tors()
	}
	if o.password >= 0 {
		config.Password = os.NewFile(uintptr(o.password), "password")
	}
	code, err := warden.Run(ctx, config)
	if errors.Is(err, seal.ErrUnsupported) {
		return false, nil
	}
	g.place.leave()
	if err == nil && code != 0 {
		err = ended(code)
	}
	return true, err
}

// tors names where the tors of engines in memory are: beside the home, because an engine can open
// everything in its home, and is not to open the tors of others. Where nothing in memory can be
// made there it is the home.
func (p place) tors() string {
	beside := filepath.Dir(string(p.home))
	if !inMemory(beside) {
		return string(p.home)
	}
	try, err := os.MkdirTemp(beside, "nightjar-try-")
	if err != nil {
		return string(p.home)
	}
	_ = os.Remove(try)
	return beside
}

// engine runs the command that a warden ordered.
func (c console) engine(ctx context.Context, args []string) int {
	w, err := warden.Take(args)
	if err != nil {
		c.tell(err)
		return 1
	}
	ctx, cancel := w.Context(ctx)
	defer cancel()
	c.ward = w
	return run(ctx, w.Order.Args, c)
}

// sealed is what keeps this process from the network.
func (c console) sealed() seal.State {
	if c.ward == nil {
		return seal.State{}
	}
	return c.ward.State
}

// holes says in words where the seal is not what it could be.
func (c console) holes() []string {
	out := c.sealed().Missing()
	if c.ward != nil && c.ward.Astray {
		out = append(out, "tor has no network namespace of its own (this system refuses them): "+
			"its settings alone make it go by the VPN, and whoever takes over the engine can "+
			"change them")
	}
	if c.ward == nil || !c.ward.Anywhere {
		return out // a phone's socket sends to phones alone
	}
	if c.ward.Loose {
		out = append(out, "this system lets loopback addresses leave it (route_localnet is on), "+
			"so that a phone's socket is no wall: turn it off, or use --no-phone")
	}
	if c.ward.Resolver {
		out = append(out, "a name service listens on a loopback address of this machine "+
			"(UDP port 53), so that a phone's socket could ask it, and it others: use --no-phone, "+
			"or stop it")
	}
	return out
}

// checkSeal says which layers hold, and refuses to go on without any if that was asked for.
func (c console) checkSeal(required bool) error {
	s := c.sealed()
	if required && !s.Sealed() {
		return errUnsealed
	}
	if required && c.ward != nil && c.ward.Astray {
		return errAstray
	}
	if s.Sealed() {
		c.line("nightjar: sealed: %s", s.Words())
	}
	return nil
}

// seats connects to other engines of the home.
func (c console) seats() control.Dial {
	if c.ward == nil {
		return nil
	}
	return func(path string) (net.Conn, error) { return c.ward.Seat(path) }
}

// torStarter starts tors: in this process, or in the warden.
func (c console) torStarter() torproc.Starter {
	if c.ward == nil {
		return nil
	}
	return c.ward.StartTor
}
