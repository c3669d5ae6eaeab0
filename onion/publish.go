// Onion services of our own, published by our tor. Streams come in by a unix socket in the
// directory that tor shares with us alone.

package onion

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"sync"
	"time"

	bineed25519 "github.com/cretz/bine/torutil/ed25519"

	"nightjar/onion/quiet"
	"nightjar/onion/torconf"
	"nightjar/onion/torproc"
)

const (
	// enoughUploads is how many directories must hold a descriptor: half of the usual 16. Dials
	// right after the first upload often fail.
	enoughUploads = 8
	// uploadsSettle is how long to wait for more of them, in a network with few directories.
	uploadsSettle = 5 * time.Second
)

// Publish makes a service reachable, as Path says. At most 256 clients can be named. The seed stays
// in memory until the listener is closed, since tor may have to be told again.
func (t *Tor) Publish(ctx context.Context, s Service) (Listener, error) {
	if s.Port == 0 || len(s.Clients) > torconf.MaxClients {
		return nil, &Error{"publish", Here, ErrRemote}
	}
	if ctx.Err() != nil {
		return nil, &Error{"publish", Here, context.Cause(ctx)}
	}
	key := ed25519.NewKeyFromSeed(s.Seed[:])
	l := &torListener{
		tor: t, service: s, id: serviceID(key.Public().(ed25519.PublicKey)),
		streams: make(chan net.Conn), published: make(chan struct{}), end: make(chan struct{}),
	}
	clear(key)
	proc := t.process()
	if err := l.publish(proc); err != nil {
		return nil, t.fail(proc, "publish", Gate, err)
	}
	t.mu.Lock()
	t.listeners[l] = true
	same := t.proc == proc
	t.mu.Unlock()
	if !same { // tor ended and came back meanwhile, and knows nothing of the service
		l.Close()
		return nil, &Error{"publish", Here, ErrTorDied}
	}
	return l, nil
}

// A torListener is a published service. Its streams come from the socket that the tor of the day
// knows; when that tor ends the socket goes, and the listener waits for the next one.
type torListener struct {
	tor       *Tor
	service   Service
	id        string
	streams   chan net.Conn
	published chan struct{}
	end       chan struct{} // closed by Close
	feeding   sync.WaitGroup
	telling   sync.Mutex // held while tor is told of the service, or that it is over

	mu      sync.Mutex
	unix    net.Listener
	unwatch func()
	uploads int
	settle  *time.Timer
	told    bool
	closed  bool
}

// publish tells a tor of the service.
func (l *torListener) publish(proc *torproc.Process) error {
	l.telling.Lock()
	defer l.telling.Unlock()
	unix, target, err := proc.Listen()
	if err != nil {
		return err
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		unix.Close()
		return nil
	}
	l.unix, l.unwatch = unix, proc.Watch(l.id, l.uploaded)
	l.mu.Unlock()
	err = proc.AskSecret(func() (string, error) {
		private := ed25519.NewKeyFromSeed(l.service.Seed[:])
		expanded := bineed25519.FromCryptoPrivateKey(private).PrivateKey()
		return torconf.AddOnion(expanded, l.service.Port, target, l.service.Clients)
	})
	l.tor.refused.Store(errors.Is(err, torproc.ErrCommand))
	if err != nil {
		l.suspend()
		return err
	}
	l.feeding.Go(func() { l.feed(unix) })
	return nil
}

// feed hands on the streams of one socket, until it is closed.
func (l *torListener) feed(unix net.Listener) {
	for {
		c, err := unix.Accept()
		if err != nil {
			return
		}
		select {
		case l.streams <- quiet.Conn(c):
		case <-l.end:
			c.Close()
		case <-l.tor.done:
			c.Close()
		}
	}
}

// suspend closes the socket of the tor of the day, and reports whether there was one.
func (l *torListener) suspend() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unix == nil {
		return false
	}
	l.unwatch()
	l.unix.Close()
	l.unix = nil
	return true
}

// drop ends what only an open service needs, and reports whether a tor knew of it.
func (l *torListener) drop() bool {
	l.telling.Lock()
	defer l.telling.Unlock()
	up := l.suspend()
	clear(l.service.Seed[:])
	return up
}

// uploaded counts the directories that hold a descriptor.
func (l *torListener) uploaded(action string) {
	if action != "UPLOADED" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.uploads++
	switch {
	case l.uploads >= enoughUploads:
		l.tell()
	case l.uploads == 1:
		l.settle = time.AfterFunc(uploadsSettle, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.tell()
		})
	}
}

// tell says once that the service can be found. The listener must be locked.
func (l *torListener) tell() {
	if !l.told && !l.closed {
		l.told = true
		close(l.published)
	}
}

// Accept waits for a stream. After Close the error is net.ErrClosed; if tor is gone for good, it
// wraps ErrTorDied or ErrPathClosed.
func (l *torListener) Accept() (net.Conn, error) {
	select {
	case <-l.end:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.streams:
		return c, nil
	case <-l.end:
		return nil, net.ErrClosed
	case <-l.tor.done:
	}
	if l.tor.closed() {
		return nil, &Error{"accept", Here, ErrPathClosed}
	}
	return nil, &Error{"accept", Here, ErrTorDied}
}

// Close ends the service. Streams that were accepted go on.
func (l *torListener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.end)
	if l.settle != nil {
		l.settle.Stop()
	}
	l.mu.Unlock()

	up := l.drop()
	l.tor.mu.Lock()
	proc := l.tor.proc
	delete(l.tor.listeners, l)
	l.tor.mu.Unlock()
	if !up {
		return nil
	}
	l.feeding.Wait()
	if _, err := proc.Ask(torconf.DelOnion(l.id)); err != nil {
		return l.tor.fail(proc, "unpublish", Gate, err)
	}
	return nil
}

func (l *torListener) ID() string                 { return l.id }
func (l *torListener) Published() <-chan struct{} { return l.published }
func (l *torListener) Addr() net.Addr             { return quiet.Addr{} }
