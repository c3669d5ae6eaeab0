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
	p := &Process{program: program, done: program.Done(), heard: map[string][]*watcher{}}
	p.talk = converse(program.Control(), answerIn, p.event)
	p.run()
	if err := p.join(ctx, c.Progress); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// join takes tor from its first word to its network.
func (p *Process) join(ctx context.Context, progress func(int, string)) error {
	stop := context.AfterFunc(ctx, func() { p.talk.conn.Close() })
	version, err := p.talk.greet()
	if !stop() {
		return p.late(ctx, torconf.Phase{Tag: "starting"})
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
	if err := p.talk.listen(control.EventCodeHSDesc, control.EventCodeStatusGeneral); err != nil {
		return ErrDied
	}
	if _, err := p.talk.ask("SETCONF DisableNetwork=0"); err != nil {
		return err
	}
	if err := p.checkListeners(); err != nil {
		return err
	}
	return p.bootstrap(ctx, progress)
}

// refusal says why tor did not speak. A tor that does not like its settings ends with status 1.
func (p *Process) refusal() error {
	p.talk.close()
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

// checkListeners refuses a tor that listens anywhere but at our socket.
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
		}
		if at != want {
			return ErrUnsafe
		}
	}
	return nil
}

// bootstrap waits until tor can be used.
func (p *Process) bootstrap(ctx context.Context, progress func(int, string)) error {
	t := time.NewTicker(step)
	defer t.Stop()
	var last torconf.Phase
	for {
		line, err := p.talk.info("status/bootstrap-phase")
		if err != nil {
			return err
		}
		phase, ok := torconf.ParsePhase(line)
		if ok && p.wrongClock() && phase.Reason == "" && phase.Percent < 100 {
			phase.Reason = "CLOCK_SKEW"
		}
		if ok && phase != last {
			last = phase
			if progress != nil {
				progress(phase.Percent, phase.Word())
			}
		}
		if last.Percent == 100 {
			return nil
		}
		select {
		case <-t.C:
		case <-p.done:
			return ErrDied
		case <-ctx.Done():
			return p.late(ctx, last)
		}
	}
}

func (p *Process) wrongClock() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.skewed
}

// late is the error of a start whose time is over.
func (p *Process) late(ctx context.Context, at torconf.Phase) error {
	return fmt.Errorf("%w: stopped at %s: %w", ErrNotBootstrapped, at.Word(), context.Cause(ctx))
}
