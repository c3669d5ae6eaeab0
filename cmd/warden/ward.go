// The engine's end of the line.

package warden

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"nightjar/onion/seal"
)

// linger is how long an engine may take to end whose warden has ended.
const linger = 10 * time.Second

// A Ward is what an engine has of its warden. It is safe for use by several goroutines at once. It
// meets the interfaces of those who need sockets: sip.Sockets, and torproc.Starter by StartTor.
type Ward struct {
	Order Order
	State seal.State
	// Loose says that on this system a loopback socket is a way out (route_localnet).
	Loose bool
	// Resolver says that a name service listens on loopback: what a loopback socket asks of it goes
	// on to other machines.
	Resolver bool

	// Anywhere says that the engine's sockets send to whatever address it names: its way out needs
	// that, or there is no list of system calls.
	Anywhere bool

	// Astray says that nothing but their own settings keeps the tors of tor-over-vpn from going
	// past the VPN: whoever takes over the engine can change those.
	Astray bool

	line  *line
	stop  chan struct{} // closed when the engine is told to end
	gone  chan struct{} // closed when the warden has ended
	lost  chan struct{} // closed when the way out has ended, or the warden
	moved chan struct{} // holds one sign that the network has changed

	mu   sync.Mutex
	last uint64
	asks map[uint64]chan answered // each with room for its answer
	tors map[int]*tor
	left map[int]word // the ends of tors that are not known here yet

	outlets *gathering // of tors that are behind walls, once it was asked for
}

// An answered ask.
type answered struct {
	word
	with *os.File
}

// attend makes the engine's end of a line.
func attend(l *line) *Ward {
	w := &Ward{line: l, stop: make(chan struct{}), gone: make(chan struct{}),
		lost: make(chan struct{}), moved: make(chan struct{}, 1),
		asks: map[uint64]chan answered{}, tors: map[int]*tor{}, left: map[int]word{}}
	go w.listen()
	return w
}

// listen takes what the warden says until it has ended.
func (w *Ward) listen() {
	defer w.abandon()
	for {
		b, with, err := w.line.hear(maxAnswer)
		if err != nil {
			return
		}
		said, err := readWord(b)
		if err != nil {
			return
		}
		w.take(answered{said, with})
	}
}

// take hands a word to whom it is for.
func (w *Ward) take(a answered) {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := w.asks[a.ID]
	delete(w.asks, a.ID)
	switch {
	case waiting != nil:
		waiting <- a
		return
	case a.Stop:
		shut(w.stop)
	case a.Lost:
		shut(w.lost)
	case a.Moved:
		select {
		case w.moved <- struct{}{}:
		default:
		}
	case a.Ended && w.tors[a.Tor] != nil:
		w.tors[a.Tor].end(a.Refused)
		delete(w.tors, a.Tor)
	case a.Ended:
		w.left[a.Tor] = a.word
	}
	if a.with != nil {
		a.with.Close()
	}
}

// shut closes a channel unless it is.
func shut(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// abandon ends everything that needs a warden. An engine that does not end then is killed.
func (w *Ward) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tors {
		t.end(false)
	}
	for _, waiting := range w.asks {
		close(waiting)
	}
	w.asks = nil
	close(w.gone)
	shut(w.lost)
	time.AfterFunc(linger, func() { kill() })
}

// Context returns a context that also ends when the warden says so, with ErrStop, or has ended,
// with ErrGone.
func (w *Ward) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-w.stop:
			cancel(ErrStop)
		case <-w.gone:
			cancel(ErrGone)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// ask asks and waits for the answer, whose descriptor is the caller's. Errors are ErrGone, a
// syscall.Errno, and the context's.
func (w *Ward) ask(ctx context.Context, a ask) (answered, error) {
	waiting := make(chan answered, 1)
	w.mu.Lock()
	if w.asks == nil {
		w.mu.Unlock()
		return answered{}, ErrGone
	}
	w.last++
	a.ID = w.last
	w.asks[a.ID] = waiting
	w.mu.Unlock()
	if err := w.line.say(a, nil); err != nil {
		w.mu.Lock()
		delete(w.asks, a.ID)
		w.mu.Unlock()
		if errors.Is(err, errMessage) {
			return answered{}, syscall.EMSGSIZE
		}
		return answered{}, ErrGone
	}
	select {
	case got, open := <-waiting:
		switch {
		case !open:
			return got, ErrGone
		case got.Errno != 0:
			return got, syscall.Errno(got.Errno)
		}
		return got, nil
	case <-ctx.Done():
		w.forget(a.ID, waiting)
		return answered{}, context.Cause(ctx)
	}
}

// forget closes the descriptor that an ask may still bring to which nobody listens.
func (w *Ward) forget(id uint64, waiting chan answered) {
	go func() {
		select {
		case got := <-waiting:
			if got.with != nil {
				got.with.Close()
			}
		case <-w.gone:
		}
	}()
}

// fetch asks for a descriptor.
func (w *Ward) fetch(ctx context.Context, a ask) (*os.File, error) {
	got, err := w.ask(ctx, a)
	if err != nil {
		return nil, err
	}
	if got.with == nil {
		return nil, errMessage
	}
	return got.with, nil
}

// Seat connects to the control socket of another engine of the same home, by its name. Whatever is
// said there, the answer is that of GET /v1/identity, and then the connection ends.
func (w *Ward) Seat(path string) (net.Conn, error) {
	name := filepath.Base(path)
	if !strings.HasPrefix(name, "control") {
		return nil, syscall.EPERM
	}
	return w.connect(context.Background(), ask{Do: "seat", At: name})
}

// connect asks for a connection.
func (w *Ward) connect(ctx context.Context, a ask) (net.Conn, error) {
	f, err := w.fetch(ctx, a)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return net.FileConn(f)
}
