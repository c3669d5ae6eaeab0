// Package play holds what is done while an audit watches: scenes, each with what it is about in a
// sentence, and the cast that plays them on one stage. It knows nothing of packets. A scene whose
// play returns an error has not been played to its end, and the audit says so; whether it leaked is
// not for the scene to say.
package play

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"nightjar/audit/privnet/stage"
)

// A Scene is one thing that people do, or that befalls them.
type Scene struct {
	Name    string
	Says    string   // what it is about
	Foreign []string // roles whose stray packets the scene provokes on purpose
	Hasty   []string // roles whom tor leaves too fast for it to be seen who left
	Must    string   // ends a role that must be seen to send, or else the scene proves nothing
	OwnTor  bool     // it needs a tor of its own, or the private network
	Play    func(context.Context, *Cast) error
}

// patience is how long a scene may last, and how much longer where tor's network is not ours.
const (
	patience = 75 * time.Second
	afar     = 5
)

// A Cast is the stage and everybody on it. It plays one scene at a time.
type Cast struct {
	Dir  string                                // for everything
	Bin  string                                // the program
	Own  string                                // the audit's own
	Tor  []string                              // arguments by which engines use a tor that runs
	Part func(name string, to ...string) error // plays a part in another process, until it ends
	Did  func(format string, args ...any)

	Begin func(ctx context.Context, part string, to ...string) *exec.Cmd // one not begun

	stage   *stage.Stage
	visits  bool   // the stage is another cast's
	gateway string // its line
	lender  *stage.Party
	desk    *stage.Party
	source  *stage.Party
	guest   *stage.Party // somebody who asked the desk
	all     []*stage.Party
}

// Phones' addresses.
const (
	deskPhone   = "127.0.0.1:5060"
	sourcePhone = "127.0.0.1:5062"
	lendsFrom   = "127.0.0.77"
	lendsToo    = "127.0.0.78"
	servesAt    = "127.0.0.79:6881"
)

// Lenders are the addresses from which gateways, and nobody else, send to the DHT.
func Lenders() []string { return []string{lendsFrom, lendsToo, "127.0.0.79"} }

// Set starts both private networks.
func (c *Cast) Set(ctx context.Context, tell func(who, line string)) (err error) {
	c.stage, err = stage.Start(ctx, stage.Options{Bin: c.Bin, Dir: c.Dir, Nodes: 24, Bridge: true,
		Exit: true, System: c.Tor, Tell: tell})
	return err
}

// Quick are ports of the scenery at which connections are over too fast to be looked up.
func (c *Cast) Quick() []netip.AddrPort {
	if c.stage.Tor == nil {
		return nil
	}
	return []netip.AddrPort{c.stage.Tor.DirPort()}
}

// Lend starts the gateway, without which nobody finds anybody.
func (c *Cast) Lend(ctx context.Context) (err error) {
	if c.lender, err = c.party(ctx, "gateway"); err != nil {
		return err
	}
	c.gateway, err = c.stage.Lend(context.WithoutCancel(ctx), c.lender, lendsFrom)
	return err
}

// With is another cast on the same stage, whose program is another build. It is closed first.
func (c *Cast) With(bin, dir string) (*Cast, error) {
	s, err := c.stage.With(bin, dir)
	return &Cast{Dir: dir, Bin: bin, Own: c.Own, Tor: c.Tor, Part: c.Part,
		Begin: c.Begin, stage: s,
		gateway: c.gateway, lender: c.lender, visits: true}, err
}

// Close ends everybody.
func (c *Cast) Close() {
	for _, p := range c.all {
		p.Stop()
	}
	if c.stage != nil && !c.visits {
		c.stage.Stop()
	}
}

// party makes somebody with a vault.
func (c *Cast) party(ctx context.Context, name string) (*stage.Party, error) {
	p, err := c.stage.Party(ctx, name)
	if err == nil {
		c.all = append(c.all, p)
	}
	return p, err
}

// begin starts an engine, which goes on when ctx has ended.
func (c *Cast) begin(ctx context.Context, p *stage.Party, args ...string) error {
	args = append(append([]string{"up", "--now"}, c.stage.By()...), args...)
	return p.Start(context.WithoutCancel(ctx), args...)
}

// up starts an engine without a phone and waits until it can be reached.
func (c *Cast) up(ctx context.Context, p *stage.Party, args ...string) error {
	if err := c.begin(ctx, p, append([]string{"--no-phone"}, args...)...); err != nil {
		return err
	}
	return p.Reachable(ctx)
}

// fresh is somebody new whose engine runs.
func (c *Cast) fresh(ctx context.Context, name string) (*stage.Party, error) {
	p, err := c.party(ctx, name)
	if err == nil {
		err = c.up(ctx, p)
	}
	return p, err
}

// friends starts the desk and the source, if they do not run, and brings them in touch. Both have
// doors for phones.
func (c *Cast) friends(ctx context.Context) error {
	first := c.desk == nil
	for _, x := range []struct {
		p    **stage.Party
		name string
		sip  string
	}{{&c.desk, "desk", deskPhone}, {&c.source, "source", sourcePhone}} {
		if *x.p == nil {
			p, err := c.party(ctx, x.name)
			if err != nil {
				return err
			}
			*x.p = p
		} else if runs(*x.p) {
			continue
		}
		if err := c.begin(ctx, *x.p, "--sip", x.sip); err != nil {
			return err
		}
	}
	for _, p := range []*stage.Party{c.desk, c.source} {
		if err := p.Reachable(ctx); err != nil {
			return err
		}
	}
	if !first {
		return stage.BothConnected(ctx, c.desk, c.source, "source", "desk")
	}
	if err := c.desk.Run(ctx, nil, "gateway", "add", c.gateway); err != nil {
		return err
	}
	return stage.Befriend(ctx, c.desk, c.source)
}

// runs reports whether a party's engine has not ended.
func runs(p *stage.Party) bool {
	if p.Ended() == nil {
		return false
	}
	select {
	case <-p.Ended():
		return false
	default:
		return true
	}
}

// gone waits until a party's engine has ended.
func gone(ctx context.Context, p *stage.Party) error {
	select {
	case <-p.Ended():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: the engine goes on", p.Name)
	}
}

// pause lets time pass: what leaks by the clock needs some.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// file is the name of a file of the cast.
func (c *Cast) file(name string) string { return filepath.Join(c.Dir, name) }

// feed runs a command that reads a line from a pipe, and returns what it printed.
func feed(ctx context.Context, p *stage.Party, lines string, args ...string) (string, error) {
	cmd, fed := p.Command(ctx, lines, args...)
	defer fed()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: nightjar %s: %w: %s", p.Name, args[0], err,
			strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// Run plays a scene, for as long as scenes may last.
func (s Scene) Run(ctx context.Context, c *Cast) error {
	limit := patience
	if len(c.Tor) > 0 {
		limit *= afar
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return s.Play(ctx, c)
}
