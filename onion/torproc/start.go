// Starting a tor: nothing goes out before its settings have been looked at.

package torproc

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cretz/bine/control"

	"nightjar/onion/torconf"
)

// Start starts a tor and returns when it has reached its network. If ctx ends before, the error
// wraps ErrNotBootstrapped, tor's word for the step that it was at, and the cause. Other errors are
// the sentinels of this package.
func Start(ctx context.Context, c Config) (*Process, error) {
	begin := c.Starter
	if begin == nil {
		begin = Run
	}
	if err := torconf.Check(c.Options); err != nil {
		return nil, err
	}
	program, err := begin(c.Order)
	if err != nil {
		return nil, err
	}
	p := &Process{program: program, done: program.Done(), heard: map[string][]*watcher{},
		notice: c.Notice, replace: c.Replace, exits: c.Exits}
	p.foreign = foreign(program) != ""
	p.talk = converse(program.Control(), startIn, p.event)
	p.run()
	if err := p.join(ctx, c); err != nil {
		p.Close()
		if state, stateErr := p.State(); c.Left != nil && stateErr == nil && len(state) > 0 {
			c.Left(state)
		}
		return nil, err
	}
	return p, nil
}

// join takes tor from its first word to its network.
func (p *Process) join(ctx context.Context, c Config) error {
	stop := context.AfterFunc(ctx, func() { p.talk.conn.Close() })
	version, err := p.talk.greet(p.foreign)
	if !stop() {
		return late(torconf.Phase{Tag: "starting"}, context.Cause(ctx))
	}
	if err != nil {
		return p.refusal()
	}
	p.version = version
	if !torconf.NewEnough(version) {
		return ErrOld
	}
	if err := p.checkModes(); err != nil {
		return err
	}
	if err := p.talk.listen(control.EventCodeHSDesc, control.EventCodeStatusGeneral,
		control.EventCodeCircuit, control.EventCodeCircuitBandwidth,
		control.EventCodeORConn); err != nil {
		return err
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	if err := p.bootstrap(ctx, c); err != nil {
		return err
	}
	p.settle()
	return nil
}

// open lets tor onto the network, if it is ours, and looks where it listens.
func (p *Process) open(ctx context.Context) error {
	if p.foreign {
		return p.checkForeign(ctx)
	}
	if _, err := p.talk.ask("SETCONF DisableNetwork=0"); err != nil {
		return err
	}
	return p.checkListeners()
}

// refusal says why tor did not speak. A tor that does not like its settings ends with status 1.
func (p *Process) refusal() error {
	p.talk.close()
	if p.foreign {
		return ErrAuth
	}
	<-p.done
	if p.program.Refused() {
		return ErrOption
	}
	return ErrDied
}

// checkModes refuses a tor that is set to show its user.
func (p *Process) checkModes() error {
	lines, err := p.talk.ask("GETCONF HiddenServiceSingleHopMode HiddenServiceNonAnonymousMode")
	if err != nil {
		return err
	}
	for _, line := range lines {
		if !strings.HasSuffix(line, "=0") {
			return ErrUnsafe
		}
	}
	return nil
}

// checkListeners refuses a tor that listens anywhere but at our sockets.
func (p *Process) checkListeners() error {
	for _, kind := range []string{"or", "dir", "trans", "natd", "dns", "control", "extor",
		"httptunnel", "socks"} {
		at, err := p.talk.info("net/listeners/" + kind)
		if err != nil {
			return err
		}
		want := ""
		if kind == "socks" {
			want = `"unix:` + socketIn(p.program.Dir(), "socks") + `"`
			if p.exits {
				want += ` "unix:` + socketIn(p.program.Dir(), "exit") + `"`
			}
		}
		if at != want {
			return ErrUnsafe
		}
	}
	return nil
}

// bootstrap waits until tor can be used.
func (p *Process) bootstrap(ctx context.Context, c Config) error {
	t := time.NewTicker(step)
	defer t.Stop()
	w := wait{since: time.Now()}
	for {
		line, err := p.talk.info("status/bootstrap-phase")
		if err != nil {
			return err
		}
		if phase, ok := torconf.ParsePhase(line); ok && w.look(phase, p.wrongClock(), time.Now()) &&
			c.Progress != nil {
			c.Progress(w.at.Percent, w.at.Word(), w.trouble)
		}
		if w.at.Percent == 100 {
			return nil
		}
		if w.nudge(time.Now()) && !p.foreign {
			if err := p.nudge(); err != nil {
				return err
			}
		}
		w.turned = p.turnedAway()
		if c.Once && w.turnedAway() {
			return late(w.at, ErrRefused)
		}
		if c.Patience > 0 && time.Since(w.since) > c.Patience {
			return late(w.at, w.why())
		}
		select {
		case <-t.C:
		case <-p.done:
			return ErrDied
		case <-ctx.Done():
			return late(w.at, w.because(context.Cause(ctx)))
		}
	}
}

// nudge makes tor forget how long it meant to wait before it tries again.
func (p *Process) nudge() error {
	p.mu.Lock()
	clear(p.tries.begun) // what ends now ends by us
	p.mu.Unlock()
	if _, err := p.talk.ask("SETCONF DisableNetwork=1"); err != nil {
		return err
	}
	_, err := p.talk.ask("SETCONF DisableNetwork=0")
	return err
}

// turnedAway is how often a connection ended at once.
func (p *Process) turnedAway() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries.turned
}

func (p *Process) wrongClock() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.skewed
}

// late is the error of a start whose time is over.
func late(at torconf.Phase, why error) error {
	return fmt.Errorf("%w: stopped at %s: %w", ErrNotBootstrapped, at.Word(), why)
}
