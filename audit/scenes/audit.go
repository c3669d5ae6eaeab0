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

	"nightjar/audit/scenes/ground"
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
	if err := ground.Connect(dir); err != nil {
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
	return watch.Proven(flows, watch.Owner{Role: control}, w.rules, ground.HasIPv6())
}

// open begins to record, and has the recorder prove itself.
func (w *watching) open(ctx context.Context) (err error) {
	if w.recorder, err = watch.Open(naming(w.own)); err != nil {
		return err
	}
	return w.prove(ctx)
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
