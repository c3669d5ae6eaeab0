// One party of the demonstration: a vault, an engine, and the commands it runs.

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// actor is one party with a vault of its own: a newsdesk, a source, a gateway. It acts only by
// running the program's own commands.
type actor struct {
	name, home, bin, password string
	sip                       string
	story                     *story
	cmd                       *exec.Cmd
	out                       chan string // lines of standard output; closed when the engine ends
	ended                     chan struct{}
	mu                        sync.Mutex
	log                       bytes.Buffer // what the engine said, for a failure
}

// newActor makes the actor's vault and identity.
func newActor(ctx context.Context, p *production, name string) (*actor, error) {
	a := &actor{name: name, home: filepath.Join(p.dir, name), bin: p.bin, story: p.story,
		password: "the " + name + "'s own password"}
	cmd, feed := a.command(ctx, "init", "--name", name)
	defer feed()
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: init: %w: %s", name, err, out)
	}
	return a, nil
}

// command prepares a command that reads its password from a pipe. feed must be called once it
// has started or failed.
func (a *actor) command(ctx context.Context, args ...string) (*exec.Cmd, func()) {
	args = append(args, "--home", a.home, "--password-fd", "3")
	cmd := exec.CommandContext(ctx, a.bin, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r, w, err := os.Pipe()
	if err != nil {
		return cmd, func() {}
	}
	_, _ = io.WriteString(w, a.password+"\n") // fits the pipe
	_ = w.Close()
	cmd.ExtraFiles = []*os.File{r}
	return cmd, func() { _ = r.Close() }
}

// start runs the actor's engine until stop.
func (a *actor) start(ctx context.Context, args ...string) error {
	cmd, feed := a.command(ctx, args...)
	defer feed()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	a.cmd, a.out, a.ended = cmd, make(chan string, 64), make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() { a.read(stderr, func(line string) { a.story.line("%-9s %s", a.name, line) }) })
	reading.Go(func() { defer close(a.out); a.read(stdout, func(line string) { a.out <- line }) })
	go func() {
		reading.Wait()
		_ = cmd.Wait()
		close(a.ended)
	}()
	return nil
}

func (a *actor) read(r io.Reader, f func(string)) {
	scan := bufio.NewScanner(r)
	for scan.Scan() {
		line := strings.TrimSpace(scan.Text())
		a.mu.Lock()
		a.log.WriteString(line + "\n")
		a.mu.Unlock()
		f(line)
	}
}

// stop ends the actor's engine.
func (a *actor) stop() {
	if a == nil || a.cmd == nil {
		return
	}
	_ = a.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-a.ended:
	case <-time.After(10 * time.Second):
		_ = a.cmd.Process.Kill()
		<-a.ended
	}
}

// run does one command of the actor and reads its JSON into out (nil: ignored).
func (a *actor) run(ctx context.Context, out any, args ...string) error {
	cmd := exec.CommandContext(ctx, a.bin, append(args, "--home", a.home, "--json")...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: nightjar %s: %s", a.name, args[0],
			strings.TrimSpace(lastLines(stderr.String(), 2)))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(stdout.Bytes(), out)
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}

// wait asks again and again until what is waited for is true.
func (a *actor) wait(ctx context.Context, what string, ask func() (bool, error)) error {
	for {
		ok, err := ask()
		if ok && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: waited in vain for %s: %w", a.name, what, ctx.Err())
		case <-a.ended:
			return errors.New(a.name + ": the engine ended: " + lastLines(a.log.String(), 3))
		case <-time.After(200 * time.Millisecond):
		}
	}
}
