// Streams through our tor.

package onion

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	"nightjar/onion/socks"
	"nightjar/onion/torconf"
	"nightjar/onion/torproc"
)

const (
	// dialTime is the longest that a dial takes; tor itself would go on for three minutes.
	dialTime = time.Minute
	// quick is what a dial takes when nothing is wrong.
	quick = 3 * time.Second
	// fetchTime is how long to wait for a new descriptor.
	fetchTime = 8 * time.Second
	// maxAuths is how many client keys tor is given; beyond it some other one is taken back.
	maxAuths = 512
)

// doubts are the times after which a service that has not answered is dialled once more, beside
// the dials that wait: after a restart its old descriptor leads nowhere, and tor may try it for
// minutes. The first come soon after each other: the new descriptor may not be out at the first.
func doubts() []time.Duration {
	return []time.Duration{quick, 7 * time.Second, 12 * time.Second, 25 * time.Second,
		45 * time.Second}
}

var errDialTime = errors.New("dial took too long")

// Dial opens a stream to an onion service, as Path says. After a minute it gives up with
// ErrNoService.
func (t *Tor) Dial(ctx context.Context, to Remote, iso Isolation) (net.Conn, error) {
	if err := checkRemote(to); err != nil {
		return nil, &Error{"dial", Here, err}
	}
	if iso == "" {
		iso = NewIsolation()
	}
	proc := t.process()
	if to.HasAuth {
		if err := t.authorize(proc, to); err != nil {
			return nil, t.fail(proc, "dial", Gate, err)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, dialTime, errDialTime)
	defer cancel()
	c, err := t.ask(ctx, proc, to, iso)
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
	return nil, t.fail(proc, "dial", Gate, err)
}

// An attempt is one stream that tor was asked for.
type attempt struct {
	conn net.Conn
	err  error
}

// ask asks tor for a stream. While the service does not answer, tor is made to fetch its descriptor
// anew, and asked again for other circuits of the same isolation. The first to get through wins.
func (t *Tor) ask(ctx context.Context, proc *torproc.Process, to Remote, iso Isolation) (
	net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	more := doubts()
	attempts := make(chan attempt, len(more)+1)
	running := 0
	launch := func() {
		fresh := running > 0
		running++
		proc.Expect()
		login := socks.Login{User: string(iso), Password: strconv.FormatInt(t.stuck.Load(), 10)}
		if !t.background(func() {
			if fresh {
				refresh(proc, to.ID, ctx.Done())
			}
			c, err := socks.Dial(ctx, proc.Dial, login, to.ID+".onion", to.Port)
			attempts <- attempt{c, err}
		}) {
			attempts <- attempt{nil, ErrPathClosed}
		}
	}
	launch()
	begun, doubt := time.Now(), time.NewTimer(more[0])
	defer doubt.Stop()
	for {
		select {
		case a := <-attempts:
			running--
			if a.err == nil || running == 0 || final(a.err) {
				cancel(nil)
				t.background(func() { hangUp(attempts, running) })
				return a.conn, a.err
			}
		case <-ctx.Done():
			cancel(nil)
			t.background(func() { hangUp(attempts, running) })
			if time.Since(begun) > quick {
				t.stuck.Add(1)
				t.background(func() { refresh(proc, to.ID, t.end) }) // for the next dial
			}
			return nil, context.Cause(ctx)
		case <-doubt.C:
			t.stuck.Add(1) // no other stream must get those circuits
			launch()
			if more = more[1:]; len(more) > 0 {
				doubt.Reset(more[0] - time.Since(begun))
			}
		}
	}
}

// final reports whether a refusal would be the same for every attempt.
func final(err error) bool {
	var r socks.Refusal
	return errors.As(err, &r) && (r == socks.AuthMissing || r == socks.AuthWrong)
}

// hangUp closes what attempts that lost may still bring.
func hangUp(attempts <-chan attempt, running int) {
	for range running {
		if a := <-attempts; a.conn != nil {
			a.conn.Close()
		}
	}
}

// refresh has a service's descriptor fetched anew, and waits until it is there or is not to be had,
// or nobody waits for it any more.
func refresh(proc *torproc.Process, id string, nobody <-chan struct{}) {
	over := make(chan struct{}, 1)
	stop := proc.Watch(id, func(action string) {
		if action == "RECEIVED" || action == "FAILED" {
			select {
			case over <- struct{}{}:
			default:
			}
		}
	})
	defer stop()
	if _, err := proc.Ask(torconf.Fetch(id)); err != nil {
		return
	}
	limit := time.NewTimer(fetchTime)
	defer limit.Stop()
	select {
	case <-over:
	case <-limit.C:
	case <-nobody:
	}
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
	}
	return Network, ErrNoService // rendezvous or a circuit failed, or the port is not served
}

// authorize gives tor the key for a service, unless it has it already.
func (t *Tor) authorize(proc *torproc.Process, to Remote) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if have, ok := t.auths[to.ID]; ok && have == to.Auth {
		return nil
	}
	if len(t.auths) >= maxAuths {
		for id := range t.auths {
			proc.Ask(torconf.RemoveAuth(id))
			delete(t.auths, id)
			break
		}
	}
	err := proc.AskSecret(func() (string, error) {
		return torconf.AddAuth(to.ID, to.Auth), nil
	})
	if err == nil {
		t.auths[to.ID] = to.Auth
	}
	return err
}

// takeBack has a tor that goes on without us forget the keys that it was given.
func (t *Tor) takeBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.proc.Foreign() {
		return
	}
	for id := range t.auths {
		t.proc.Ask(torconf.RemoveAuth(id))
	}
}

// fail says that an operation failed because the path is closed or tor is gone, if that is why.
func (t *Tor) fail(proc *torproc.Process, op string, place Place, err error) error {
	switch {
	case t.closed():
		return &Error{op, Here, ErrPathClosed}
	case errors.Is(err, ErrTorDied) || hungUp(err) && dying(proc):
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

// dying reports whether a tor is gone, or is known to be within a moment: its sockets close shortly
// before the system reports its end.
func dying(proc *torproc.Process) bool {
	moment := time.NewTimer(500 * time.Millisecond)
	defer moment.Stop()
	select {
	case <-proc.Done():
		return true
	case <-moment.C:
		return false
	}
}
