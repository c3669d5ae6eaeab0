// The tors of an engine.

package warden

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"nightjar/onion/seal"
	"nightjar/onion/torproc"
)

// grace is how long a tor may take to end that has lost its owner.
const grace = 3 * time.Second

// tors are those that were started and not wiped.
type tors struct {
	order   torproc.Order // of the user; the engine adds to it
	starter torproc.Starter
	wall    *wall // or nil

	mu   sync.Mutex
	last int
	all  map[int]torproc.Program
	outs map[int]*os.File // listeners behind walls, until the engine takes them over
	work sync.WaitGroup
}

// begin starts a tor; behind a wall if there is to be one, with the listener in there.
func (t *tors) begin(o torproc.Order) (p torproc.Program, out *os.File, err error) {
	if t.wall != nil {
		o.Start = func(cmd *exec.Cmd, f seal.Files, run []string) (err error) {
			out, err = t.wall.start(cmd, f, run)
			return err
		}
	}
	p, err = t.starter(o)
	return p, out, err
}

// outlet hands over the listener behind the wall of a tor; once.
func (t *tors) outlet(id int) (*os.File, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.outs[id]
	if out == nil {
		return nil, unix.EPERM
	}
	delete(t.outs, id)
	return out, nil
}

// start starts a tor and hands its control connection to the engine. The warden keeps none: tor
// ends with the engine.
func (t *tors) start(l *line, a ask) (word, *os.File) {
	o := t.order
	o.State = a.State
	if !onlyBridges(a.Options) {
		return word{Why: reason(torproc.ErrOption)}, nil
	}
	o.Options = append(append([]string{}, o.Options...), a.Options...)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) >= maxTors {
		return word{Why: reason(torproc.ErrDirectory)}, nil
	}
	p, out, err := t.begin(o)
	if err != nil {
		return word{Why: reason(err)}, nil
	}
	control, err := handle(p.Control())
	if err != nil {
		p.Kill()
		<-p.Done()
		p.Wipe()
		out.Close()
		return word{Errno: errno(err)}, nil
	}
	if t.all == nil {
		t.all, t.outs = map[int]torproc.Program{}, map[int]*os.File{}
	}
	t.last++
	id := t.last
	t.all[id] = p
	if out != nil {
		t.outs[id] = out
	}
	t.work.Go(func() {
		<-p.Done()
		_ = l.say(word{Tor: id, Ended: true, Refused: p.Refused()}, nil)
	})
	said := word{Tor: id, Dir: p.Dir(), PID: p.PID()}
	said.Foreign = foreign(p)
	return said, control
}

// foreign returns where a tor that is not ours listens for SOCKS, or "".
func foreign(p torproc.Program) string {
	if f, ok := p.(interface{ Foreign() string }); ok {
		return f.Foreign()
	}
	return ""
}

func (t *tors) get(id int) torproc.Program {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all[id]
}

// dialExit connects to the socket of a tor by which streams leave its network. There is none unless
// the user allowed it.
func dialExit(p torproc.Program, ctx context.Context) (net.Conn, error) {
	if e, ok := p.(exiting); ok {
		return e.DialExit(ctx)
	}
	return nil, unix.EPERM
}

// exiting is a Program by which streams can leave its network.
type exiting interface {
	DialExit(context.Context) (net.Conn, error)
}

// dial connects to a SOCKS socket of a tor.
func (t *tors) dial(ctx context.Context, id int,
	to func(torproc.Program, context.Context) (net.Conn, error)) (*os.File, error) {
	p := t.get(id)
	if p == nil {
		return nil, unix.ECONNREFUSED
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	c, err := to(p, ctx)
	if err != nil {
		return nil, err
	}
	return handle(c)
}

func (t *tors) kill(id int) {
	if p := t.get(id); p != nil {
		p.Kill()
	}
}

// wipe removes what a tor left, which has ended.
func (t *tors) wipe(id int) error {
	p := t.get(id)
	if p == nil {
		return unix.ENOENT
	}
	select {
	case <-p.Done():
	default:
		return unix.EBUSY
	}
	t.mu.Lock()
	delete(t.all, id)
	t.outs[id].Close() // one that nobody took
	delete(t.outs, id)
	t.mu.Unlock()
	return p.Wipe()
}

// end ends the tors that are left. They have lost their owner already.
func (t *tors) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	limit := time.NewTimer(grace)
	defer limit.Stop()
	for _, p := range t.all {
		if foreign(p) != "" {
			p.Kill() // only lets go of it
		}
		select {
		case <-p.Done():
		case <-limit.C:
			limit.Reset(0)
			p.Kill()
			<-p.Done()
		}
		p.Wipe()
	}
	t.work.Wait()
}

func number(f *os.File) string { return strconv.Itoa(int(f.Fd())) }
