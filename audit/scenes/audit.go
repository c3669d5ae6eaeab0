// One audit: the recorder proves itself, the scenes are played, and what was seen is judged.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"nightjar/audit/scenes/play"
	"nightjar/audit/scenes/report"
	"nightjar/audit/watch"
)

// audit runs in the namespaces.
func (o options) audit(ctx context.Context) (*report.Report, error) {
	start := time.Now()
	dir, err := os.MkdirTemp("", "nj-audit")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := connect(dir); err != nil {
		return nil, err
	}
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &watching{own: own, rules: rules()}
	r := &report.Report{}
	if len(o.command) > 0 {
		err = o.another(ctx, w, r)
	} else {
		err = o.nightjars(ctx, w, r, dir)
	}
	if w.recorder != nil {
		defer w.recorder.Close()
	}
	if err != nil {
		return nil, err
	}
	r.Proven = w.prove(ctx) == nil // it still sees
	r.Seconds = time.Since(start).Seconds()
	r.Sum()
	return r, nil
}

// watching is the recorder, and how what it sees is judged.
type watching struct {
	own      string
	recorder *watch.Recorder
	rules    watch.Rules
}

// partCommand is a process of our own that plays a part.
func (w *watching) partCommand(ctx context.Context, name string, to ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.own, append([]string{"-part", name}, to...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// prove has another process send what must be seen, and looks whether it was.
func (w *watching) prove(ctx context.Context) error {
	if _, _, err := w.recorder.Take(ctx); err != nil {
		return err
	}
	if out, err := w.partCommand(ctx, control).CombinedOutput(); err != nil {
		return fmt.Errorf("the recorder's proof does not run: %w: %s", err, out)
	}
	flows, _, err := w.recorder.Take(ctx)
	if err != nil {
		return err
	}
	return watch.Proven(flows, watch.Owner{Role: control}, w.rules, hasIPv6())
}

// open begins to record, and has the recorder prove itself.
func (w *watching) open(ctx context.Context) (err error) {
	if w.recorder, err = watch.Open(naming(w.own)); err != nil {
		return err
	}
	return w.prove(ctx)
}

// nightjars plays the chosen scenes on one stage. The private networks are there before the
// recorder looks: they are not what is watched.
func (o options) nightjars(ctx context.Context, w *watching, r *report.Report, dir string) error {
	r.Subject = "nightjar"
	list, err := o.chosen()
	if err != nil {
		return err
	}
	bin, err := o.program()
	if err != nil {
		return err
	}
	c := &play.Cast{Dir: dir, Bin: bin, Own: w.own, Part: func(name string, to ...string) error {
		ctx, cancel := context.WithTimeout(ctx, partTime)
		defer cancel()
		out, err := w.partCommand(ctx, name, to...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}}
	defer c.Close()
	tell := func(who, line string) { fmt.Printf("%-8s %s\n", who, line) }
	if err := c.Set(ctx, tell); err != nil {
		return err
	}
	w.rules.Quick = append(w.rules.Quick, c.Quick())
	pause(ctx, settling)
	if err := w.open(ctx); err != nil {
		return err
	}
	builds, err := o.others()
	if err != nil {
		return err
	}
	if len(builds) > 0 {
		list = nil
	}
	list = append([]play.Scene{{Name: "gateway", Says: "somebody lends UDP to others",
		Play: func(ctx context.Context, c *play.Cast) error { return c.Lend(ctx) }}}, list...)
	for i, s := range list {
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
	return w.visits(ctx, c, builds, r)
}

// partTime is how long a part may take.
const partTime = time.Minute

// settling is how long the private networks still fetch this and that.
const settling = 3 * time.Second

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// afterwards is how long is watched when a scene is over.
const afterwards = 300 * time.Millisecond

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
	done.Seen(flows, doors, w.rules, s.Foreign)
	if err == nil && len(s.Foreign) > 0 && done.Foreign == 0 {
		err = errors.New("the phone sent nothing of what it was told to: this proves nothing")
	}
	if err = errors.Join(err, lost); err != nil {
		done.Failed = err.Error()
	}
	done.Seconds = time.Since(start).Seconds()
	return done
}

// another watches one program of the user's.
func (o options) another(ctx context.Context, w *watching, r *report.Report) error {
	w.rules = watch.Rules{Loopback: true}
	if err := w.open(ctx); err != nil {
		return err
	}
	r.Subject = "another program"
	s := &report.Scene{Name: "program", Says: "a program runs until it ends, or Ctrl-C"}
	start := time.Now()
	cmd := w.partCommand(ctx, foreign, append([]string{"--"}, o.command...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() != cannotStart) {
		s.Failed = "it could not be started"
	}
	flows, doors, lost := w.recorder.Take(context.WithoutCancel(ctx))
	s.Seen(flows, doors, w.rules, nil)
	if lost != nil {
		s.Failed = lost.Error()
	}
	s.Seconds = time.Since(start).Seconds()
	r.Scenes = append(r.Scenes, s)
	s.Text(os.Stdout)
	return nil
}
