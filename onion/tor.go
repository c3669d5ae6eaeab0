// The path through a tor process of our own.

package onion

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"nightjar/onion/socks"
	"nightjar/onion/torconf"
	"nightjar/onion/torproc"
)

// TorConfig says how to start a tor; all of it is fixed once it runs.
type TorConfig struct {
	Exe      string         // absolute path; "" means the one in PATH or in /usr/sbin
	Dir      string         // parent of the 0700 runtime directory; "" means os.TempDir
	State    []byte         // what an earlier Tor's State returned, or nil
	Options  []string       // further settings, one a line, that pass CheckOptions
	Progress func(Progress) // called on every step of the bootstrap; it may be nil
}

// Progress is how far a way out has come.
type Progress struct {
	Percent int
	Reason  string // tor's word for the step, with its word for what went wrong: "conn (NOROUTE)"
}

// A Tor is the path through one tor process: its own guards, its own store of client keys. What two
// identities do in one Tor can be linked by those who watch when it is up; give each its own.
type Tor struct {
	proc *torproc.Process

	mu    sync.Mutex
	auths map[string][32]byte // client keys that tor has been given, by service id
}

// dialTime is the longest that a dial takes; tor itself would go on for three minutes.
const dialTime = time.Minute

var errDialTime = errors.New("dial took too long")

// maxAuths is how many client keys tor is given; beyond it one that is not in use is taken back.
const maxAuths = 512

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
	pc := torproc.Config{Exe: c.Exe, Dir: c.Dir, State: c.State, Options: c.Options}
	if c.Progress != nil {
		pc.Progress = func(percent int, reason string) { c.Progress(Progress{percent, reason}) }
	}
	proc, err := torproc.Start(ctx, pc)
	if err != nil {
		place := Here
		if errors.Is(err, ErrNotBootstrapped) {
			place = Gate
		}
		return nil, &Error{"start tor", place, err}
	}
	return &Tor{proc: proc, auths: map[string][32]byte{}}, nil
}

// Dial opens a stream to an onion service, as Path says. After a minute it gives up with
// ErrNoService.
func (t *Tor) Dial(ctx context.Context, to Remote, iso Isolation) (net.Conn, error) {
	if err := checkRemote(to); err != nil {
		return nil, &Error{"dial", Here, err}
	}
	if iso == "" {
		iso = NewIsolation()
	}
	if to.HasAuth {
		if err := t.authorize(to); err != nil {
			return nil, t.fail("dial", Gate, err)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, dialTime, errDialTime)
	defer cancel()
	c, err := socks.Dial(ctx, t.proc.Socks(), string(iso), to.ID+".onion", to.Port)
	if err == nil {
		return c, nil
	}
	var refusal socks.Refusal
	switch {
	case errors.Is(err, errDialTime):
		return nil, &Error{"dial", Network, ErrNoService}
	case ctx.Err() != nil:
		return nil, &Error{"dial", Network, err}
	case errors.Is(err, socks.ErrRequest):
		return nil, &Error{"dial", Here, ErrRemote}
	case errors.As(err, &refusal):
		place, why := meaning(refusal)
		return nil, &Error{"dial", place, why}
	}
	return nil, t.fail("dial", Gate, err)
}

// meaning says where and why a stream was refused.
func meaning(r socks.Refusal) (Place, error) {
	switch r {
	case socks.NoDescriptor, socks.BadDescriptor, socks.IntroFailed, socks.IntroTimeout:
		return Peer, ErrNoService
	case socks.AuthMissing, socks.AuthWrong:
		return Peer, ErrNotAuthorized
	case socks.BadAddress:
		return Here, ErrRemote
	case socks.RendFailed:
		return Network, ErrNoService
	}
	return Network, ErrNoService // tor's general codes: a circuit failed, or the port is not served
}

// authorize gives tor the key for a service, unless it has it already.
func (t *Tor) authorize(to Remote) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if have, ok := t.auths[to.ID]; ok && have == to.Auth {
		return nil
	}
	if len(t.auths) >= maxAuths {
		for id := range t.auths {
			t.proc.Ask(torconf.RemoveAuth(id))
			delete(t.auths, id)
			break
		}
	}
	err := t.proc.AskSecret(func() (string, error) {
		return torconf.AddAuth(to.ID, to.Auth), nil
	})
	if err == nil {
		t.auths[to.ID] = to.Auth
	}
	return err
}

// fail says that an operation failed because tor is gone, if it is.
func (t *Tor) fail(op string, place Place, err error) error {
	switch {
	case t.proc.Closed():
		return &Error{op, Here, ErrPathClosed}
	case errors.Is(err, ErrTorDied) || hungUp(err) && t.dying():
		return &Error{op, Here, ErrTorDied}
	}
	return &Error{op, place, err}
}

// hungUp reports whether an error of tor's socket looks as if nobody were at its other end.
func hungUp(err error) bool {
	for _, sign := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNREFUSED, syscall.ENOENT,
		syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, sign) {
			return true
		}
	}
	return false
}

// dying reports whether tor is gone, or is known to be within a moment: its sockets close shortly
// before the system reports its end.
func (t *Tor) dying() bool {
	moment := time.NewTimer(500 * time.Millisecond)
	defer moment.Stop()
	select {
	case <-t.proc.Done():
		return true
	case <-moment.C:
		return false
	}
}

func (t *Tor) gone() bool {
	select {
	case <-t.proc.Done():
		return true
	default:
		return false
	}
}

// Done is closed when the tor process is gone, whoever ended it. Nothing takes its place.
func (t *Tor) Done() <-chan struct{} { return t.proc.Done() }

// State returns what a later Tor needs to use the same guards: keep it sealed, it tells which they
// are. Tor writes it rarely while it runs; after Close it is complete.
func (t *Tor) State() ([]byte, error) {
	state, err := t.proc.State()
	if err != nil {
		return nil, &Error{"read tor state", Here, err}
	}
	return state, nil
}

// Health is how a Tor is, in counts.
type Health struct {
	Version      string // of the tor program
	Bootstrapped bool
	Circuits     int // that are built
	Guards       int // that were chosen; usually the first of them is used
}

// Health asks tor how it is. The zero Health means that it is gone.
func (t *Tor) Health() Health {
	phase, err := t.proc.Info("status/bootstrap-phase")
	if err != nil {
		return Health{}
	}
	p, _ := torconf.ParsePhase(phase)
	circuits, _ := t.proc.Info("circuit-status")
	guards, _ := t.proc.Info("entry-guards")
	return Health{
		Version:      t.proc.Version(),
		Bootstrapped: p.Percent == 100,
		Circuits:     strings.Count(circuits, " BUILT "),
		Guards:       strings.Count(guards, "$"),
	}
}

// Exposes says who learns what on this path.
func (t *Tor) Exposes() []Exposure {
	return []Exposure{
		{"your network and its provider", "that you use Tor, through which guard or bridge, and " +
			"when and how much is sent", "whom you reach, and what you say"},
		{"the guard or bridge", "your address, and when and how much is sent",
			"whom you reach, and what you say"},
		{"the contact", "when you are reachable, and what you tell it", "where you are"},
		{"directories of the Tor network", "that some onion service is published or looked for",
			"whose it is, and its address unless they know it already"},
		{"gateways", "the DHT datagrams that you give them", "who you are and where"},
	}
}

// Close ends tor, wipes its directory and returns when nothing of it is left. Streams end.
func (t *Tor) Close() error {
	if err := t.proc.Close(); err != nil {
		return &Error{"close tor", Here, err}
	}
	return nil
}
