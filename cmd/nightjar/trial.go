// Trying bridges, each by itself.

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"nightjar/cmd/control"
	"nightjar/node/book"
	"nightjar/onion"
	"nightjar/onion/exposure"
	"nightjar/onion/torproc"
)

const (
	// bridgeTime is how long a bridge that is tested may get no further, and bridgeLimit how long
	// its test may take in all.
	bridgeTime  = 45 * time.Second
	bridgeLimit = 5 * time.Minute
	// trialTick is how often a test says that it still waits, and for what.
	trialTick = 5 * time.Second
)

// cmdBridgeTest tries bridges: the one given, or each that is known.
func cmdBridgeTest(ctx context.Context, c console, args []string) error {
	o := newOptions("bridge test")
	tor := o.torFlags()
	rest, err := o.parse(args, 0, 24)
	if err != nil {
		return err
	}
	options, err := optionLines(*tor.torrc)
	if err != nil {
		return err
	}
	lines, err := o.onTrial(ctx, c, rest)
	if err != nil {
		return err
	}
	results, failed := []trial{}, error(nil)
	for i, line := range lines {
		r, err := c.try(ctx, *tor.exe, options, line)
		if err != nil {
			failed = err
		}
		if results = append(results, r); !o.json && (err == nil || len(lines) > 1) {
			fmt.Fprintf(c.out, "%2d  %s\n", i+1, r.words)
		}
	}
	if o.json {
		failed = errors.Join(c.json(results), failed)
	} else if failed != nil && len(lines) > 1 {
		return errTrial // each has been said
	}
	return failed
}

// trial is what came of trying one bridge.
type trial struct {
	Line    string       `json:"line"`
	Works   bool         `json:"works"`
	Seconds float64      `json:"seconds"`
	Code    control.Code `json:"error,omitempty"`
	words   string
}

// errTrialWay is the wish to try bridges for an identity that does not go by tor alone.
var errTrialWay = errors.New("this identity does not go out by tor alone, and a bridge is tried " +
	"without its way out: who runs the bridge would learn this machine's address")

// errTrial is a list of bridges of which some do not work.
var errTrial = errors.New("not every bridge works")

// A trialError is why one bridge does not work.
type trialError struct{ err error }

func (e trialError) Error() string { return "this bridge does not work: " + whyNot(e.err) }
func (e trialError) Unwrap() error { return e.err }

// whyNot says what keeps tor from entering by a bridge.
func whyNot(err error) string {
	for _, w := range []struct {
		is   error
		says string
	}{
		{torproc.ErrRefused, "every connection is refused at once: nobody is there"},
		{torproc.ErrBlocked, "the bridge does not answer"},
		{torproc.ErrSlow, "the bridge answers, and then nothing comes"},
		{torproc.ErrNoNetwork, torproc.ErrNoNetwork.Error()},
		{torproc.ErrClock, torproc.ErrClock.Error()},
		{torproc.ErrTransport, torproc.ErrTransport.Error()},
	} {
		if errors.Is(err, w.is) {
			return w.says
		}
	}
	return what(err)
}

// try tries one bridge.
func (c console) try(ctx context.Context, exe string, options []string, line string) (trial,
	error) {
	begun := time.Now()
	err := c.tryBridge(ctx, exe, options, line)
	t := trial{Line: line, Works: err == nil, Seconds: time.Since(begun).Seconds()}
	if err != nil {
		err = trialError{err}
		t.Code, t.words = code(err), "does not work: "+whyNot(err)
		return t, err
	}
	t.words = fmt.Sprintf("works: in the network after %.1f s", t.Seconds)
	return t, nil
}

// onTrial lists the bridges to be tried: the one whose line or number was typed, or all.
func (o *options) onTrial(ctx context.Context, c console, words []string) (lines []string,
	err error) {
	number, notNumber := strconv.Atoi(strings.Join(words, " "))
	if len(words) > 0 && notNumber != nil {
		way, _ := o.runningWay(ctx) // if none runs, or says so, nobody is asked for a password
		return []string{strings.Join(words, " ")}, c.sayTrial(way)
	}
	known, way, err := o.knownBridges(ctx, c)
	if err == nil {
		err = c.sayTrial(way)
	}
	if err != nil {
		return nil, err
	}
	for i, b := range known.Bridges {
		if len(words) == 0 || number == i+1 {
			lines = append(lines, b.Line)
		}
	}
	if len(lines) == 0 {
		return nil, book.ErrBridge
	}
	return lines, nil
}

// mayTry refuses to try bridges for an identity that goes out by another kind of way than tor: tor
// would go to them without it.
func mayTry(way string) error {
	if way != "" && way != exposure.Tor.String() {
		return errTrialWay
	}
	return nil
}

// sayTrial refuses as mayTry does, and says what a trial shows where it is not known that the
// identity goes by tor.
func (c console) sayTrial(way string) error {
	if way == "" {
		c.note("tor goes straight to the bridge, through no VPN or proxy: who runs the bridge " +
			"learns this machine's address, and your network that you use tor")
	}
	return mayTry(way)
}

// tryBridge enters the network by one bridge and nothing else, and leaves it again. While nothing
// happens it says every few seconds what it waits for.
func (c console) tryBridge(ctx context.Context, exe string, options []string, line string) error {
	ctx, cancel := context.WithTimeout(ctx, bridgeLimit)
	defer cancel()
	say, stop := c.waiting()
	defer stop()
	t, err := onion.StartTor(ctx, onion.TorConfig{Exe: exe, Options: options,
		Ways: []string{line}, Patience: bridgeTime, Once: true, Progress: func(p onion.Progress) {
			how := fmt.Sprintf("tor %3d%%: %s", p.Percent, phase(p.Reason))
			if p.Trouble != nil {
				how += "; " + whyNot(p.Trouble)
			}
			say(how)
		}})
	if err != nil {
		return err
	}
	return t.Close()
}

// waiting shows what is said, and every few seconds that it is still so. Stop is called after the
// last word.
func (c console) waiting() (say func(string), stop func()) {
	start, words := time.Now(), make(chan string)
	var work sync.WaitGroup
	work.Go(func() {
		again := time.NewTicker(trialTick)
		defer again.Stop()
		last := "tor is starting"
		for {
			select {
			case how, open := <-words:
				if !open {
					return
				}
				if how != last {
					c.step(start, how)
				}
				last = how
			case <-again.C:
				c.step(start, "still "+last)
			}
		}
	})
	return func(how string) { words <- how }, func() { close(words); work.Wait() }
}
