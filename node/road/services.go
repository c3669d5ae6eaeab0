// The road by onion services: one of our own, with a key for every contact; and theirs.

package road

import (
	"context"
	"crypto/ecdh"
	"net"
	"sync"
	"time"

	"nightjar/node/card"
	"nightjar/onion"
	"nightjar/tunnel"
)

const (
	servicePort = 1                // the virtual port of our service; nobody outside sees it
	knockTime   = 90 * time.Second // longer than a tunnel's door keeps a stranger waiting
	knockers    = 32               // unfinished handshakes at once; more wait in tor
	knockLeast  = 10 * time.Second // for a handshake, when that many others are unfinished
	dialTries   = 3                // a fresh descriptor needs a moment to be found everywhere
)

// A Key is what an identity does for its road: *keystore.Identity meets it.
type Key interface {
	tunnel.Key
	// Derive returns a secret of the identity for a purpose.
	Derive(purpose string, context []byte) ([32]byte, error)
}

// Services is the road by onion services. Its fields are fixed once it is used.
type Services struct {
	Path       onion.Path
	Key        Key
	Peers      func() []tunnel.Peer // who may dial us
	Seats      int                  // keys of the service: whoever counts them counts no contacts
	Generation func() uint32        // of the service: another one replaces the old
	Tell       func(words string)   // what goes on, for people
	Up         func()               // the service can be found
}

// NewServices returns the road by onion services.
func NewServices(c Services) Road {
	return &services{Services: c, signs: newSigns(), renew: make(chan struct{}, 1),
		came: make(chan tunnel.Tunnel)}
}

type services struct {
	Services
	signs
	door  tunnel.Door
	renew chan struct{}
	came  chan tunnel.Tunnel

	mu         sync.Mutex
	service    onion.Listener
	generation uint32 // of service
}

// Run keeps our service published, and takes in who comes through it. A new generation replaces the
// old service.
func (s *services) Run(ctx context.Context) {
	var crew sync.WaitGroup
	defer crew.Wait()
	for ctx.Err() == nil {
		l, err := s.publish(ctx)
		if err != nil {
			s.Tell("our onion service could not start; again soon")
			pause(ctx, retry, s.renew)
			continue
		}
		crew.Go(func() { s.announce(ctx, l) })
		s.take(ctx, l, &crew)
	}
}

// announce tells the house when the service can be found.
func (s *services) announce(ctx context.Context, l onion.Listener) {
	select {
	case <-l.Published():
		s.Up()
	case <-ctx.Done():
	}
}

// publish starts the service of the present generation.
func (s *services) publish(ctx context.Context) (onion.Listener, error) {
	generation := s.Generation()
	seed, err := s.Key.Derive("nightjar service", number(generation))
	if err != nil {
		return nil, err
	}
	defer clear(seed[:])
	o := onion.Service{Seed: seed, Port: servicePort}
	for seat := range uint16(s.Seats) {
		key, err := s.seatKey(generation, seat)
		if err != nil {
			return nil, err
		}
		o.Clients = append(o.Clients, [32]byte(key.PublicKey().Bytes()))
	}
	l, err := s.Path.Publish(ctx, o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	another := s.service != nil && s.service.ID() != l.ID()
	s.service, s.generation = l, generation
	s.mu.Unlock()
	s.tell(another)
	return l, nil
}

// seatKey is the client key of one seat on one generation of our service.
func (s *services) seatKey(generation uint32, seat uint16) (*ecdh.PrivateKey, error) {
	b, err := s.Key.Derive("nightjar service client",
		append(number(generation), byte(seat>>8), byte(seat)))
	if err != nil {
		return nil, err
	}
	defer clear(b[:])
	return ecdh.X25519().NewPrivateKey(b[:])
}

func number(n uint32) []byte {
	return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// take takes in tunnels until the service is replaced, fails, or ctx ends.
func (s *services) take(ctx context.Context, l onion.Listener, crew *sync.WaitGroup) {
	here, cancel := context.WithCancel(ctx)
	defer cancel()
	crew.Go(func() {
		select {
		case <-s.renew:
		case <-here.Done():
		}
		_ = l.Close()
	})
	lobby := &Lobby{Places: knockers, Patience: knockLeast}
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		leave := lobby.Enter(ctx, [32]byte{}, func() { _ = conn.Close() })
		if leave == nil {
			_ = conn.Close()
			return
		}
		crew.Go(func() { do(func() { s.admit(ctx, conn, leave) }) })
	}
}

// admit finishes the handshake with whoever knocked. Strangers hear nothing.
func (s *services) admit(ctx context.Context, conn net.Conn, leave func()) {
	handshake, cancel := context.WithTimeout(ctx, knockTime)
	defer cancel()
	defer leave()
	if t, err := s.door.Accept(handshake, conn, s.Key, s.Peers); err == nil {
		hand(ctx, s.came, t)
	}
}

// Accept returns the next tunnel that came through our service.
func (s *services) Accept(ctx context.Context) (tunnel.Tunnel, error) { return accept(ctx, s.came) }

// Dial reaches a contact's service on a circuit of its own and shakes hands.
func (s *services) Dial(ctx context.Context, r card.Reach, p tunnel.Peer) (
	tunnel.Tunnel, error) {
	switch {
	case len(r.At) > 0:
		return nil, ErrOther
	case r.Service == "":
		return nil, ErrNowhere
	}
	to := onion.Remote{ID: r.Service, Port: r.Port, Auth: r.Auth, HasAuth: true}
	last := error(nil)
	for try := range dialTries {
		pause(ctx, time.Duration(try)*time.Second, nil)
		if ctx.Err() != nil {
			break
		}
		conn, err := s.Path.Dial(ctx, to, onion.NewIsolation())
		if err != nil {
			last = err
			continue
		}
		t, err := s.door.Dial(ctx, conn, s.Key, p)
		if err == nil {
			return t, nil
		}
		last = err
	}
	if last == nil {
		last = context.Cause(ctx)
	}
	return nil, last
}

// Beside dials the service once more, on another circuit.
func (s *services) Beside(ctx context.Context, _ tunnel.Tunnel, r card.Reach, p tunnel.Peer) (
	tunnel.Tunnel, error) {
	return s.Dial(ctx, r, p)
}

// Reach names our service, and the key of the seat.
func (s *services) Reach(seat uint16) (card.Reach, error) {
	s.mu.Lock()
	service, generation := s.service, s.generation
	s.mu.Unlock()
	if service == nil {
		return card.Reach{}, ErrNotYet
	}
	key, err := s.seatKey(generation, seat)
	if err != nil {
		return card.Reach{}, err
	}
	return card.Reach{Service: service.ID(), Port: servicePort, Auth: [32]byte(key.Bytes()),
		Expires: time.Now().Add(reachFor)}, nil
}

// Reachable reports whether our service can be found.
func (s *services) Reachable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service == nil {
		return false
	}
	select {
	case <-s.service.Published():
		return true
	default:
		return false
	}
}

// Renew replaces our service by that of the present generation.
func (s *services) Renew() { poke(s.renew) }

// Warnings is empty: tor's are its owner's to tell.
func (s *services) Warnings() []string { return nil }

// Exposes says who learns what on the path.
func (s *services) Exposes() []onion.Exposure { return s.Path.Exposes() }
