// The twin of a path in memory: the same rules, no Tor. It ships with the code so that the rooms
// above can be tested alone, also under a fake clock.

package onion

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"sync"

	"nightjar/onion/pipe"
	"nightjar/onion/quiet"
)

// Memory is a network of paths in memory.
type Memory struct {
	mu       sync.Mutex
	services map[string]*memoryListener // by id; a later one takes the place of an earlier one
	dialled  map[Isolation]bool
	hosts    map[memoryHost]func(net.Conn) // outside: Host
}

// NewMemory returns a network without services.
func NewMemory() *Memory {
	return &Memory{services: map[string]*memoryListener{}, dialled: map[Isolation]bool{}}
}

// Circuits returns over how many different isolations streams were opened so far.
func (m *Memory) Circuits() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.dialled)
}

// Path returns a new path into the network.
func (m *Memory) Path() Path {
	return &memoryPath{net: m, gone: make(chan struct{}), open: map[io.Closer]bool{}}
}

type memoryPath struct {
	net  *Memory
	gone chan struct{} // closed by Close
	mu   sync.Mutex
	open map[io.Closer]bool // listeners and streams
}

// accepting is how many dialled streams wait for one Accept before further dials block.
const accepting = 16

func (p *memoryPath) Dial(ctx context.Context, to Remote, iso Isolation) (net.Conn, error) {
	if err := checkRemote(to); err != nil {
		return nil, &Error{"dial", Here, err}
	}
	if p.closed() {
		return nil, &Error{"dial", Here, ErrPathClosed}
	}
	if iso == "" {
		iso = NewIsolation()
	}
	l, err := p.net.find(to, iso)
	if err != nil {
		return nil, &Error{"dial", Peer, err}
	}
	near, far := pipe.New()
	select {
	case l.queue <- far:
		if l.refuseIfGone() {
			return nil, &Error{"dial", Peer, ErrNoService}
		}
	case <-l.gone:
		return nil, &Error{"dial", Peer, ErrNoService}
	case <-p.gone:
		return nil, &Error{"dial", Here, ErrPathClosed}
	case <-ctx.Done():
		return nil, &Error{"dial", Network, context.Cause(ctx)}
	}
	return p.keep(near)
}

// find returns the service if it lets this client in.
func (m *Memory) find(to Remote, iso Isolation) (*memoryListener, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.services[to.ID]
	if l == nil {
		return nil, ErrNoService
	}
	if !l.admits(to) {
		return nil, ErrNotAuthorized
	}
	if l.port != to.Port {
		return nil, ErrNoService
	}
	m.dialled[iso] = true
	return l, nil
}

func (p *memoryPath) Publish(ctx context.Context, s Service) (Listener, error) {
	if s.Port == 0 {
		return nil, &Error{"publish", Here, ErrRemote}
	}
	key := ed25519.NewKeyFromSeed(s.Seed[:]).Public().(ed25519.PublicKey)
	l := &memoryListener{id: serviceID(key), port: s.Port, path: p, clients: map[[32]byte]bool{},
		queue: make(chan net.Conn, accepting), gone: make(chan struct{}),
		published: make(chan struct{})}
	for _, c := range s.Clients {
		l.clients[c] = true
	}
	close(l.published)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed() {
		return nil, &Error{"publish", Here, ErrPathClosed}
	}
	p.open[l] = true
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	p.net.services[l.id] = l
	return l, nil
}

func (p *memoryPath) Exposes() []Exposure {
	return []Exposure{{Who: "nobody", Learns: "nothing: it is a network in memory, for tests"}}
}

func (p *memoryPath) Close() error {
	p.mu.Lock()
	if p.closed() {
		p.mu.Unlock()
		return nil
	}
	close(p.gone)
	open := p.open
	p.open = nil
	p.mu.Unlock()
	var errs []error
	for c := range open {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func (p *memoryPath) closed() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// keep notes a stream, so that closing the path ends it.
func (p *memoryPath) keep(c net.Conn) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed() {
		c.Close()
		return nil, &Error{"dial", Here, ErrPathClosed}
	}
	k := &keptConn{Conn: c, path: p}
	p.open[k] = true
	return k, nil
}

func (p *memoryPath) forget(c io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

type keptConn struct {
	net.Conn
	path *memoryPath
}

func (k *keptConn) Close() error {
	k.path.forget(k)
	return k.Conn.Close()
}

type memoryListener struct {
	id        string
	port      uint16
	path      *memoryPath
	clients   map[[32]byte]bool
	queue     chan net.Conn
	published chan struct{}
	gone      chan struct{}
	once      sync.Once
}

// admits reports whether the client's key is one of those allowed in, if any are named.
func (l *memoryListener) admits(to Remote) bool {
	if len(l.clients) == 0 {
		return true
	}
	if !to.HasAuth {
		return false
	}
	key, err := ecdh.X25519().NewPrivateKey(to.Auth[:])
	return err == nil && l.clients[[32]byte(key.PublicKey().Bytes())]
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case <-l.gone:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.queue:
		return l.path.keep(c)
	case <-l.gone:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() {
		l.path.net.mu.Lock()
		if l.path.net.services[l.id] == l {
			delete(l.path.net.services, l.id)
		}
		l.path.net.mu.Unlock()
		close(l.gone)
		l.path.forget(l)
		l.refuseIfGone()
	})
	return nil
}

// refuseIfGone hangs up on those who wait to be accepted, once nobody will accept them.
func (l *memoryListener) refuseIfGone() bool {
	select {
	case <-l.gone:
	default:
		return false
	}
	for {
		select {
		case c := <-l.queue:
			c.Close()
		default:
			return true
		}
	}
}

func (l *memoryListener) ID() string                 { return l.id }
func (l *memoryListener) Published() <-chan struct{} { return l.published }
func (l *memoryListener) Addr() net.Addr             { return quiet.Addr{} }

// checkRemote refuses what no path could dial.
func checkRemote(to Remote) error {
	if to.Port == 0 {
		return ErrRemote
	}
	return checkID(to.ID)
}
