// The path through a tor process of our own: from start to end.

package onion

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nightjar/onion/torconf"
	"nightjar/onion/torproc"
)

// TorConfig says how to start a tor; all of it is fixed once it runs.
type TorConfig struct {
	Exe      string         // absolute path; "" means the one in PATH or in /usr/sbin
	Dir      string         // parent of the 0700 runtime directory; "" means os.TempDir
	State    []byte         // what an earlier Tor's State returned, or nil
	Options  []string       // further settings, one a line, that pass CheckOptions
	Progress func(Progress) // called on each step of each bootstrap; it may be nil
	// Keep has tor started again when it ends by itself, with the same guards, and services
	// published again. Until then dials fail with ErrTorDied; nothing goes another way.
	Keep bool
	// Exits lets DialHost leave the Tor network, on a SOCKS socket of its own; no other does.
	Exits bool
	// Ways are the ways into the network, tried in this order, round and round: bridge lines
	// (package bridge), and "" for none. Empty means without a bridge. Of several the next is tried
	// when one has got no further for Patience; 0 means 45 s.
	Ways     []string
	Patience time.Duration
	Once     bool // go through the ways once, each with Patience, and give up
	// Changed is called when the network is lost or back, and when tor has ended or is started
	// again; it may be nil, and must return at once. What was lost should be dialled again after
	// Answers, Woke and Began.
	Changed func(torproc.Notice)
	// Starter starts the tor program, in another process perhaps; nil means in this one.
	// torproc.Existing uses one that runs already.
	Starter torproc.Starter
}

// Progress is how far a way out has come.
type Progress struct {
	Percent int
	Reason  string // tor's word for the step, with its word for what went wrong: "conn (NOROUTE)"
	Trouble error  // what keeps it, one of torproc's errors; nil while it gets on
	Bridge  string // the kind of bridge that is tried ("obfs4", ...); "" is none
}

// A Tor is the path through one tor process: its own guards, its own store of client keys. What two
// identities do in one Tor can be linked by those who watch when it is up; give each its own.
type Tor struct {
	config  torproc.Config // but for the way in
	entry   entry
	changed func(torproc.Notice)
	keep    bool
	end     chan struct{} // closed by Close
	done    chan struct{} // closed when tor is gone and does not come back
	once    sync.Once
	stuck   atomic.Int64   // how many dials led nowhere: names the circuits of later ones
	refused atomic.Bool    // tor would not publish a service
	work    sync.WaitGroup // what dials have left to do

	mu        sync.Mutex
	proc      *torproc.Process // the one that runs, or ran last
	auths     map[string][32]byte
	listeners map[*torListener]bool
	restarts  int
}

// CheckOptions refuses settings that are not on the list of allowed ones: those that would open a
// port, show the user, log, or start a program that is not a bridge's. The error is ErrTorOption.
func CheckOptions(lines []string) error {
	if err := torconf.Check(lines); err != nil {
		return &Error{"check tor options", Here, err}
	}
	return nil
}

// StartTor starts a tor and returns when it has reached its network. Errors wrap ErrTorMissing,
// ErrTorOld, ErrTorOption, ErrTorUnsafe, ErrTorDied or ErrNotBootstrapped.
func StartTor(ctx context.Context, c TorConfig) (*Tor, error) {
	t := &Tor{
		config: torproc.Config{Starter: c.Starter, Order: torproc.Order{Exe: c.Exe, Dir: c.Dir,
			State: c.State, Options: c.Options, Exits: c.Exits}},
		entry: newEntry(c), changed: c.Changed, keep: c.Keep,
		end:   make(chan struct{}),
		done:  make(chan struct{}),
		auths: map[string][32]byte{}, listeners: map[*torListener]bool{},
	}
	if t.changed == nil {
		t.changed = func(torproc.Notice) {}
	}
	t.config.Notice, t.config.Replace = t.changed, c.Keep
	t.config.Left = func(state []byte) { t.config.State = state }
	var err error
	if t.proc, err = t.enter(ctx); err != nil {
		place := Here
		if errors.Is(err, ErrNotBootstrapped) {
			place = Gate
		}
		return nil, &Error{"start tor", place, err}
	}
	go t.look()
	return t, nil
}

// process returns the process that runs, or ran last.
func (t *Tor) process() *torproc.Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.proc
}

// closed reports whether the owner has closed the path.
func (t *Tor) closed() bool {
	select {
	case <-t.end:
		return true
	default:
		return false
	}
}

// background runs f beside the caller, unless the path is closed. Close waits for it.
func (t *Tor) background(f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed() {
		return false
	}
	t.work.Go(f)
	return true
}

// Done is closed when the tor process is gone, whoever ended it; with TorConfig.Keep, when it is
// gone and does not come back. Nothing takes its place.
func (t *Tor) Done() <-chan struct{} { return t.done }

// State returns what a later Tor needs to use the same guards: keep it sealed, it tells which they
// are. Tor writes it rarely while it runs; after Close it is complete.
func (t *Tor) State() ([]byte, error) {
	state, err := t.process().State()
	if err != nil {
		return nil, &Error{"read tor state", Here, err}
	}
	return state, nil
}

// Health is how a Tor is, in counts.
type Health struct {
	Version      string // of the tor program
	Bootstrapped bool
	Circuits     int  // that are built
	Guards       int  // that were chosen; usually the first of them is used
	Restarts     int  // after tor ended by itself
	Silent       bool // nothing comes from the network, though it was asked
}

// Health asks tor how it is. Without a Version it is gone, or being started again.
func (t *Tor) Health() Health {
	t.mu.Lock()
	proc, restarts := t.proc, t.restarts
	t.mu.Unlock()
	phase, err := proc.Info("status/bootstrap-phase")
	if err != nil {
		return Health{Restarts: restarts}
	}
	p, _ := torconf.ParsePhase(phase)
	circuits, _ := proc.Info("circuit-status")
	guards, _ := proc.Info("entry-guards")
	return Health{
		Version:      proc.Version(),
		Bootstrapped: p.Percent == 100,
		Circuits:     strings.Count(circuits, " BUILT "),
		Guards:       strings.Count(guards, "$"),
		Restarts:     restarts,
		Silent:       proc.Silent(),
	}
}

// Close ends tor, wipes its directory and returns when nothing of it is left. Streams end.
func (t *Tor) Close() error {
	t.once.Do(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		close(t.end)
	})
	<-t.done
	t.work.Wait()
	if err := t.process().Close(); err != nil {
		return &Error{"close tor", Here, err}
	}
	return nil
}
