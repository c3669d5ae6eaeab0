// Onion services of our own, published by our tor. Streams come in by a unix socket in the
// directory that tor shares with us alone.

package onion

import (
	"context"
	"crypto/ed25519"
	"net"
	"sync"
	"time"

	bineed25519 "github.com/cretz/bine/torutil/ed25519"

	"nightjar/onion/quiet"
	"nightjar/onion/torconf"
)

const (
	// enoughUploads is how many directories must hold a descriptor: half of the usual 16. Dials
	// right after the first upload often fail.
	enoughUploads = 8
	// uploadsSettle is how long to wait for more of them, in a network with few directories.
	uploadsSettle = 5 * time.Second
)

// Publish makes a service reachable, as Path says. At most 256 clients can be named.
func (t *Tor) Publish(ctx context.Context, s Service) (Listener, error) {
	if s.Port == 0 || len(s.Clients) > torconf.MaxClients {
		return nil, &Error{"publish", Here, ErrRemote}
	}
	if ctx.Err() != nil {
		return nil, &Error{"publish", Here, context.Cause(ctx)}
	}
	var key bineed25519.KeyPair
	private := ed25519.NewKeyFromSeed(s.Seed[:])
	id := serviceID(private.Public().(ed25519.PublicKey))
	key = bineed25519.FromCryptoPrivateKey(private)
	clear(private)

	target := t.proc.Socket()
	unix, err := net.Listen("unix", target)
	if err != nil {
		return nil, t.fail("publish", Here, quiet.Error(err))
	}
	l := &torListener{tor: t, unix: unix, id: id, published: make(chan struct{}),
		end: make(chan struct{})}
	l.unwatch = t.proc.Watch(id, l.uploaded)
	err = t.proc.AskSecret(func() (string, error) {
		return torconf.AddOnion(key.PrivateKey(), s.Port, target, s.Clients)
	})
	clear(key.PrivateKey())
	if err != nil {
		l.unwatch()
		unix.Close()
		return nil, t.fail("publish", Gate, err)
	}
	go l.endWithTor() // until tor is gone or the listener closed
	return l, nil
}

// A torListener is a published service.
type torListener struct {
	tor       *Tor
	unix      net.Listener
	id        string
	unwatch   func()
	published chan struct{}
	end       chan struct{} // closed by Close

	mu      sync.Mutex
	uploads int
	settle  *time.Timer
	closed  bool
	told    bool
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

// Accept waits for a stream. After Close the error is net.ErrClosed; if tor is gone, it wraps
// ErrTorDied.
func (l *torListener) Accept() (net.Conn, error) {
	c, err := l.unix.Accept()
	if err == nil {
		return quiet.Conn(c), nil
	}
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	switch {
	case l.tor.proc.Closed():
		return nil, &Error{"accept", Here, ErrPathClosed}
	case l.tor.gone():
		return nil, &Error{"accept", Here, ErrTorDied}
	case closed:
		return nil, net.ErrClosed
	}
	return nil, &Error{"accept", Gate, quiet.Error(err)}
}

// endWithTor closes the listener when tor is gone, so that Accept returns.
func (l *torListener) endWithTor() {
	select {
	case <-l.tor.Done():
		l.Close()
	case <-l.end:
	}
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
	l.unwatch()
	l.unix.Close()
	if l.tor.gone() {
		return nil
	}
	if _, err := l.tor.proc.Ask(torconf.DelOnion(l.id)); err != nil {
		return l.tor.fail("unpublish", Gate, err)
	}
	return nil
}

func (l *torListener) ID() string                 { return l.id }
func (l *torListener) Published() <-chan struct{} { return l.published }
func (l *torListener) Addr() net.Addr             { return quiet.Addr{} }
