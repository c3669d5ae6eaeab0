// The audit of nightjar: its scenes, played one after another on one stage.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"nightjar/audit/scenes/play"
	"nightjar/audit/scenes/report"
)

const (
	partTime   = time.Minute            // how long a part may take
	settling   = 3 * time.Second        // how long private networks still fetch this and that
	afterwards = 300 * time.Millisecond // how long is watched when a scene is over
)

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// nightjars plays the chosen scenes on one stage. The private networks are there before the
// recorder looks: they are not what is watched.
func (o options) nightjars(ctx context.Context, w *watching, r *report.Report, dir string) error {
	list, err := o.chosen()
	if err != nil {
		return err
	}
	builds, err := o.others()
	if err != nil {
		return err
	}
	c, err := o.cast(ctx, w, r, dir)
	if err != nil {
		return err
	}
	defer c.Close()
	tell := func(who, line string) { fmt.Printf("%-8s %s\n", who, line) }
	if err := c.Set(ctx, tell); err != nil {
		return err
	}
	w.rules.Quick = append(w.rules.Quick, c.Quick()...)
	pause(ctx, settling)
	if err := w.open(ctx); err != nil {
		return err
	}
	if len(builds) > 0 {
		list = nil
	}
	list = append([]play.Scene{{Name: "gateway", Says: "somebody lends UDP to others",
		Play: func(ctx context.Context, c *play.Cast) error { return c.Lend(ctx) }}}, list...)
	if err := w.all(ctx, c, list, r); err != nil {
		return err
	}
	return w.visits(ctx, c, builds, r)
}

// cast prepares who plays.
func (o options) cast(ctx context.Context, w *watching, r *report.Report, dir string) (*play.Cast,
	error) {
	bin, err := o.program()
	if err != nil {
		return nil, err
	}
	by, err := o.system()
	if err != nil {
		return nil, err
	}
	r.Subject = "nightjar"
	if by != nil {
		r.Subject = "nightjar, by a tor that runs outside and is not watched"
		if err := os.Chmod(dir, 0o711); err != nil { // for that tor, whoever's it is
			return nil, err
		}
	}
	return &play.Cast{Dir: dir, Bin: bin, Own: w.own, Tor: by, Begin: w.partCommand,
		Part: func(name string, to ...string) error {
			ctx, cancel := context.WithTimeout(ctx, partTime)
			defer cancel()
			out, err := w.partCommand(ctx, name, to...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		}}, nil
}

// all plays scenes and tells how far it is.
func (w *watching) all(ctx context.Context, c *play.Cast, list []play.Scene,
	r *report.Report) error {
	start := time.Now()
	for i, s := range list {
		left := ""
		if i > 1 { // the first is not like the others
			rest := time.Since(start) / time.Duration(i) * time.Duration(len(list)-i)
			left = fmt.Sprintf(", %d s left or so", int(rest.Seconds()))
		}
		fmt.Printf("-------- scene %d of %d%s: %s\n", i+1, len(list), left, s.Says)
		done := w.scene(ctx, c, s)
		r.Scenes = append(r.Scenes, done)
		done.Text(os.Stdout)
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted")
		case i == 0 && done.Failed != "":
			return errors.New("there is no gateway: " + done.Failed)
		}
	}
	return nil
}

// scene plays one scene and judges what was sent meanwhile.
func (w *watching) scene(ctx context.Context, c *play.Cast, s play.Scene) *report.Scene {
	done := &report.Scene{Name: s.Name, Says: s.Says}
	c.Did = func(format string, args ...any) {
		done.Did = append(done.Did, fmt.Sprintf(format, args...))
	}
	start := time.Now()
	err := s.Run(ctx, c)
	pause(ctx, afterwards)
	flows, doors, lost := w.recorder.Take(ctx)
	rules := w.rules
	rules.Called = slices.Concat(rules.Called, s.Hasty)
	done.Seen(flows, doors, rules, s.Foreign)
	if err == nil && len(s.Foreign) > 0 && done.Foreign == 0 {
		err = errors.New("the phone sent nothing of what it was told to: this proves nothing")
	}
	if err == nil && s.Must != "" && !done.Sent(s.Must) {
		err = errors.New("nothing went by the way: this proves nothing")
	}
	if err = errors.Join(err, lost); err != nil {
		done.Failed = err.Error()
	}
	done.Seconds = time.Since(start).Seconds()
	return done
}
