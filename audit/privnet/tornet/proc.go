// The processes of a network: started from one thread, which they do not outlive.

package tornet

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// A process is one running tor.
type process struct {
	name string
	dir  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has been reaped
}

// A nursery starts processes from one thread and holds that thread until it is closed: the signal
// that a child gets when its parent dies is sent when the parent's thread ends.
type nursery struct {
	work chan func()
	gone chan struct{}
}

func newNursery() *nursery {
	n := &nursery{work: make(chan func()), gone: make(chan struct{})}
	go func() {
		defer close(n.gone)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for f := range n.work {
			f()
		}
	}()
	return n
}

// close lets the thread go; the nursery's processes must have ended.
func (n *nursery) close() {
	close(n.work)
	<-n.gone
}

// spawn writes torrc into dir and starts exe with it.
func (n *nursery) spawn(exe, name, dir, torrc string) (*process, error) {
	file := filepath.Join(dir, "torrc")
	if err := os.WriteFile(file, []byte(torrc), 0o600); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(filepath.Join(dir, "out"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{name: name, dir: dir, done: make(chan struct{})}
	p.cmd = exec.Command(exe, "--defaults-torrc", "/dev/null", "-f", file, "--quiet")
	p.cmd.Stdout, p.cmd.Stderr = out, out
	dieWithParent(p.cmd)
	started := make(chan error)
	n.work <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// kill ends the process at once and waits until it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// reload makes the tor drop its download timers and ask again for what it lacks.
func (p *process) reload() { p.cmd.Process.Signal(syscall.SIGHUP) }

func (p *process) dead() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
