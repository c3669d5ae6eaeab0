// One party: a vault, an engine, and the commands it runs.

package stage

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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Party is somebody with a vault of its own: a newsdesk, a source, a gateway.
type Party struct {
	Name     string
	Home     string
	bin      string
	as       string   // set when several identities of one home are open
	mode     []string // further arguments of up
	password string
	tell     func(line string)

	cmd   *exec.Cmd
	out   chan string   // lines the engine prints; closed when it ends
	ended chan struct{} // closed when the engine is gone

	mu  sync.Mutex
	log bytes.Buffer
}

// Party makes a vault and an identity in it.
func (s *Stage) Party(ctx context.Context, name string) (*Party, error) {
	return NewParty(ctx, s.o, name)
}

// NewParty is Stage.Party before there is a stage.
func NewParty(ctx context.Context, o Options, name string) (*Party, error) {
	p := newParty(o, name)
	cmd, fed := p.Command(ctx, p.password, "init", "--name", name)
	defer fed()
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: init: %w: %s", name, err, out)
	}
	return p, nil
}

func newParty(o Options, name string) *Party {
	p := &Party{Name: name, Home: filepath.Join(o.Dir, name), bin: o.Bin,
		password: "the " + name + "'s own password", tell: func(string) {}}
	if o.Tell != nil {
		p.tell = func(line string) { o.Tell(name, line) }
	}
	return p
}

// memory is a directory that Linux keeps in memory.
const memory = "/dev/shm"

// Bare is a party without a vault: its engine is started with mode, and asks for secret.
func (s *Stage) Bare(name, secret string, mode ...string) *Party {
	p := newParty(s.o, name)
	p.password, p.mode = secret, mode
	p.Home = filepath.Join(memory, "nightjar-stage-"+filepath.Base(s.o.Dir)+"-"+name)
	return p
}

// Mode gives further arguments to the engine of a party when Up starts it.
func (p *Party) Mode(args ...string) { p.mode = args }

// Another makes a second identity in the vault of a party. Both are named to commands from now on.
func (s *Stage) Another(ctx context.Context, p *Party, name string) (*Party, error) {
	q := newParty(s.o, name)
	q.Home, q.as, p.as = p.Home, name, p.Name
	cmd, fed := q.Command(ctx, q.password+"\n"+p.password, "init", "--name", name, "--keep", "1")
	defer fed()
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: init: %w: %s", name, err, out)
	}
	return q, nil
}

// Password is what opens the party's identity.
func (p *Party) Password() string { return p.password }

// Command prepares a command that reads a password from a pipe. The function it returns is called
// once the command has started or failed.
func (p *Party) Command(ctx context.Context, password string, args ...string) (*exec.Cmd, func()) {
	args = append(args, "--home", p.Home, "--password-fd", "3")
	cmd := exec.CommandContext(ctx, p.bin, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	r, w, err := os.Pipe()
	if err != nil {
		return cmd, func() {}
	}
	_, _ = io.WriteString(w, password+"\n") // fits the pipe
	_ = w.Close()
	cmd.ExtraFiles = []*os.File{r}
	return cmd, func() { _ = r.Close() }
}

// Start runs the party's engine, or gateway, until Stop, Kill or the end of ctx.
func (p *Party) Start(ctx context.Context, args ...string) error {
	cmd, fed := p.Command(ctx, p.password, args...)
	defer fed()
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
	p.cmd, p.out, p.ended = cmd, make(chan string, 64), make(chan struct{})
	out, ended := p.out, p.ended
	var reading sync.WaitGroup
	reading.Go(func() { p.read(stderr, p.tell) })
	reading.Go(func() { defer close(out); p.read(stdout, func(line string) { out <- line }) })
	go func() {
		reading.Wait()
		_ = cmd.Wait()
		close(ended)
	}()
	return nil
}

func (p *Party) read(r io.Reader, f func(string)) {
	scan := bufio.NewScanner(r)
	for scan.Scan() {
		line := strings.TrimSpace(scan.Text())
		p.mu.Lock()
		p.log.WriteString(line + "\n")
		p.mu.Unlock()
		f(line)
	}
}

// Log returns the last n lines the engine said.
func (p *Party) Log(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(p.log.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}

// Pid is the process id of what the party started: the warden, whose child is the engine.
func (p *Party) Pid() int { return p.cmd.Process.Pid }

// Engine is the process id of the engine, which has the secrets; 0 when there is none. Where an
// engine has no warden, it is Pid.
func (p *Party) Engine() int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.Pid()))
	for _, list := range lists {
		b, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(b)) {
			line, _ := os.ReadFile("/proc/" + child + "/cmdline")
			args := strings.Split(string(line), "\x00")
			if pid, err := strconv.Atoi(child); err == nil && len(args) > 1 && args[1] == "engine" {
				return pid
			}
		}
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d/ns/net", p.Pid())); err == nil {
		return 0
	}
	return p.Pid()
}

// Ended is closed when the engine is gone.
func (p *Party) Ended() <-chan struct{} { return p.ended }

// Stop asks the engine to end and returns when it has. It may be called on nobody.
func (p *Party) Stop() {
	if p == nil || p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		p.Kill()
	}
}

// Kill ends the engine as a power cut would, and returns when it is gone.
func (p *Party) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// Run does one command of the party and reads its JSON into out (nil: ignored). The error holds
// what the command said.
func (p *Party) Run(ctx context.Context, out any, args ...string) error {
	args = append(args, "--home", p.Home, "--json")
	if p.as != "" {
		args = append(args, "--as", p.as)
	}
	cmd := exec.CommandContext(ctx, p.bin, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: nightjar %s: %w: %s", p.Name, args[0], err, said(stderr.String()))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(stdout.Bytes(), out)
}

// said is what a command that failed said last.
func said(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var last struct{ Message, Hint string }
	if json.Unmarshal([]byte(lines[len(lines)-1]), &last) != nil {
		return strings.Join(lines, "; ")
	}
	return last.Message + "; hint: " + last.Hint
}

// Wait asks again and again, until what is waited for is true, the engine ends, or ctx does.
func (p *Party) Wait(ctx context.Context, what string, ask func() (bool, error)) error {
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		if ok, err := ask(); ok && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: waited in vain for %s: %w", p.Name, what, ctx.Err())
		case <-p.ended:
			return errors.New(p.Name + ": the engine ended: " + p.Log(3))
		case <-again.C:
		}
	}
}
