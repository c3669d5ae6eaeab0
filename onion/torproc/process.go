// One tor process from start to end.

package torproc

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cretz/bine/control"

	"nightjar/onion/torconf"
)

// Config says which tor to start; all of it is fixed once it runs.
type Config struct {
	Order
	// Starter starts the program; nil means Run.
	Starter Starter
	// Progress is called on each step of the bootstrap, and when it is seen what keeps tor: reason
	// is one of tor's words, trouble one of this package's errors or nil.
	Progress func(percent int, reason string, trouble error)
	// Patience is how long tor may stay at one step of the bootstrap before Start gives up; 0 means
	// until its context ends.
	Patience time.Duration
	// Once says that nobody will try this way again: Start gives up as soon as it sees that nobody
	// takes a connection there.
	Once bool
	// Left is called with the state of a process that did not reach the network: its guards are to
	// be tried again, lest whoever blocks them sees us choose others until he likes one.
	Left func(state []byte)
	// Replace says that whoever started this tor starts another when it ends: then one whose
	// network has gone silent, or whose machine slept, is given up.
	Replace bool
	// Notice is called when the network goes silent or answers again; it must return at once.
	Notice func(Notice)
}

const (
	startIn  = 8 * time.Second         // for an answer to a command while tor starts
	answerIn = 3500 * time.Millisecond // and later: one that is stopped is given up 5 s after
	grace    = 3 * time.Second         // from the end of the conversation until tor is killed
	step     = 100 * time.Millisecond
)

// A Process is a tor that belongs to this program. It ends with this program, however that ends.
type Process struct {
	program Program
	talk    *conversation
	version string
	done    <-chan struct{} // closed when the process has been reaped
	work    sync.WaitGroup
	closing atomic.Bool
	once    sync.Once
	notice  func(Notice)
	replace bool
	foreign bool // not started by us
	exits   bool // may have streams that leave the network

	mu      sync.Mutex
	heard   map[string][]*watcher // by service id
	skewed  bool                  // tor has said that the clock is wrong
	tries   tries                 // to connect
	pulse   *pulse                // once the network was reached
	state   []byte                // once closed
	sockets int
}

// run starts the goroutines that wait for the process and look after it.
func (p *Process) run() {
	p.work.Go(func() { <-p.done })
	p.work.Go(func() {
		<-p.talk.lost // tor ends by itself when it loses its owner
		wait := grace
		if p.talk.stuck.Load() || p.foreign {
			wait = 0
		}
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-p.done:
		case <-t.C:
			p.program.Kill()
		}
	})
	p.work.Go(p.tend)
}

// event takes what tor reports unasked.
func (p *Process) event(e control.Event) {
	switch e := e.(type) {
	case *control.HSDescEvent:
		p.mu.Lock()
		watchers := slices.Clone(p.heard[e.Address])
		p.mu.Unlock()
		for _, w := range watchers {
			w.f(e.Action)
		}
	case *control.StatusEvent:
		p.mu.Lock()
		p.skewed = p.skewed || e.Action == "CLOCK_SKEW"
		p.mu.Unlock()
	default:
		p.listenTo(e)
	}
}

// A watcher is told what happens to the descriptors of one service.
type watcher struct{ f func(action string) }

// Watch has f called with what happens to the descriptors of a service ("UPLOADED", "RECEIVED",
// "FAILED", ...), until the function that it returns is called, or shortly after. f must return at
// once.
func (p *Process) Watch(id string, f func(action string)) (stop func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &watcher{f}
	p.heard[id] = append(p.heard[id], w)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		rest := slices.Clone(p.heard[id])
		rest = slices.DeleteFunc(rest, func(o *watcher) bool { return o == w })
		if p.heard[id] = rest; len(rest) == 0 {
			delete(p.heard, id)
		}
	}
}

// Ask sends a control command and returns the lines of the answer. Errors are ErrCommand, ErrDied
// and torconf.ErrCommand.
func (p *Process) Ask(command string) ([]string, error) { return p.talk.ask(command) }

// Info returns one value of control-spec's GETINFO.
func (p *Process) Info(key string) (string, error) { return p.talk.info(key) }

// AskSecret sends a command with a key in it, which build returns. Its traces in this process are
// erased as far as can be: a long command follows, to take its place in the buffers on both sides.
func (p *Process) AskSecret(build func() (string, error)) error {
	var err error
	do(func() {
		var command string
		if command, err = build(); err == nil {
			_, err = p.talk.ask(command)
		}
	})
	p.talk.ask(cover())
	return err
}

// cover is a harmless command of 4000 bytes, the size of a buffer on its way.
func cover() string {
	b := []byte("GETINFO version")
	for len(b) < 4000 {
		b = append(b, ' ')
	}
	return string(b)
}

// Socks returns the name of the unix socket for SOCKS.
func (p *Process) Socks() string { return socketIn(p.program.Dir(), "socks") }

// Dial opens a connection to tor's socket for SOCKS.
func (p *Process) Dial(ctx context.Context) (net.Conn, error) { return p.program.Dial(ctx) }

// Socket returns a name for a new unix socket, in the directory that tor shares with us alone.
func (p *Process) Socket() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.foreign {
		return socketIn(p.program.Dir(), rand.Text())
	}
	p.sockets++
	return socketIn(p.program.Dir(), number(p.sockets))
}

func number(n int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	if n < len(digits) {
		return digits[n : n+1]
	}
	return number(n/len(digits)) + digits[n%len(digits):n%len(digits)+1]
}

// Version returns the numbers of tor's version.
func (p *Process) Version() string { return torconf.ShortVersion(p.version) }

// Done is closed when the process is gone, whoever ended it.
func (p *Process) Done() <-chan struct{} { return p.done }

// Closed reports whether it was Close that ended the process.
func (p *Process) Closed() bool { return p.closing.Load() }

// State returns what a later process needs to use the same guards. Tor writes it rarely while it
// runs; after Close it is complete.
func (p *Process) State() ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != nil {
		return p.state, nil
	}
	b, err := os.ReadFile(stateIn(p.program.Dir()))
	if os.IsNotExist(err) {
		return nil, nil // not written yet
	}
	if err != nil {
		return nil, ErrDirectory
	}
	return torconf.Guards(b), nil
}

// Close ends the process and wipes its directory. It returns when nothing of it is left.
func (p *Process) Close() error {
	var err error
	p.once.Do(func() {
		p.closing.Store(true)
		p.talk.close()
		p.work.Wait()
		b, _ := os.ReadFile(stateIn(p.program.Dir()))
		p.mu.Lock()
		p.state = append([]byte{}, torconf.Guards(b)...)
		p.mu.Unlock()
		err = p.program.Wipe()
	})
	return err
}

// PID returns the number of the process, for those who watch what it sends.
func (p *Process) PID() int { return p.program.PID() }
