// The process of a phone, and waiting for what it says.

package phone

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// process is a phone's process: lines out, lines in.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	tell  func(string)
	gone  chan struct{} // closed when the process has ended and all it said was read
	clean string        // directory to remove at the end, or empty

	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed and replaced when a line comes
}

// start runs exe with nothing of our environment but what is given. The thread that starts it
// stays until it has ended: the kernel ends the process with that thread.
func start(ctx context.Context, c Config, exe string, env []string, args ...string) (
	*process, error) {
	p := &process{tell: c.Tell, gone: make(chan struct{}), more: make(chan struct{})}
	p.cmd = exec.Command(exe, args...)
	p.cmd.Dir = c.Dir
	p.cmd.Env = append([]string{"HOME=" + c.Dir, "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}, env...)
	dieWithParent(p.cmd)
	out, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		started <- p.cmd.Start()
		w.Close()
		p.read(out)
		p.cmd.Wait()
		close(p.gone)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { p.cmd.Process.Kill() })
	return p, nil
}

// read collects what the process prints.
func (p *process) read(r io.ReadCloser) {
	defer r.Close()
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 1<<20)
	scan.Split(lineOrReturn)
	for scan.Scan() {
		p.said(strings.TrimSpace(scan.Text()))
	}
}

// prompt is what linphonec shows when it waits for an order, without a line end.
const prompt = "linphonec> "

// lineOrReturn splits after a prompt, at line feeds, and at carriage returns, with which phones
// redraw a line.
func lineOrReturn(data []byte, atEOF bool) (int, []byte, error) {
	if bytes.HasPrefix(data, []byte(prompt)) {
		return len(prompt), data[:len(prompt)], nil
	}
	for i, c := range data {
		if c == '\n' || c == '\r' {
			return i + 1, data[:i], nil
		}
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// said adds a line to what the phone said.
func (p *process) said(line string) {
	if line == "" || strings.HasPrefix(line, "[0:") || strings.HasPrefix(line, "[1:") {
		return // of these there are ten in a second
	}
	p.mu.Lock()
	p.lines = append(p.lines, line)
	close(p.more)
	p.more = make(chan struct{})
	p.mu.Unlock()
	if p.tell != nil {
		p.tell(line)
	}
}

// mark is a place in what the phone said.
func (p *process) mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lines)
}

// wait returns the first line from a mark on that fits.
func (p *process) wait(ctx context.Context, from int, fits func(string) bool) (string, error) {
	ended := false
	for {
		p.mu.Lock()
		for _, line := range p.lines[min(from, len(p.lines)):] {
			from++
			if fits(line) {
				p.mu.Unlock()
				return line, nil
			}
		}
		more := p.more
		p.mu.Unlock()
		if ended {
			return "", fmt.Errorf("%w; it said: %s", ErrEnded, p.Log(5))
		}
		select {
		case <-more:
		case <-p.gone:
			ended = true // one more look
		case <-ctx.Done():
			return "", fmt.Errorf("%w; the phone said: %s", ctx.Err(), p.Log(5))
		}
	}
}

// waitFor is wait for a line that holds one of some words.
func (p *process) waitFor(ctx context.Context, from int, words ...string) error {
	_, err := p.wait(ctx, from, func(line string) bool { return holdsOne(line, words...) })
	return err
}

// holdsOne reports whether a line holds one of some words.
func holdsOne(line string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) })
}

// Log returns the last n lines the phone printed.
func (p *process) Log(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines[max(0, len(p.lines)-n):], "; ")
}

// Pid is the phone's process.
func (p *process) Pid() int { return p.cmd.Process.Pid }

// end gives the process a moment to end by itself, then ends it.
func (p *process) end(patience time.Duration) {
	p.in.Close()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-p.gone:
	case <-t.C:
		p.cmd.Process.Kill()
		<-p.gone
	}
	if p.clean != "" {
		os.RemoveAll(p.clean)
	}
}
