// How much a sender may ask for, and who has shown that it knows the password.

package gate

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rates in messages per second, with bursts.
const (
	phoneRate, phoneBurst       = 100, 200 // of one authenticated sender
	strangerRate, strangerBurst = 30, 60   // of all others together
	wrongRate, wrongBurst       = 0.2, 10  // wrong passwords of all strangers together
	maxPhones                   = 32       // authenticated senders remembered
	phoneLife                   = 2 * time.Hour
)

// senders remembers who is authenticated, so that a stranger who floods the door or guesses
// passwords takes nothing from the phone.
type senders struct {
	mu        sync.Mutex
	phones    map[netip.AddrPort]*phone
	strangers *rate.Limiter
	guesses   *rate.Limiter
}

// phone is one authenticated sender.
type phone struct {
	seen    time.Time
	limit   *rate.Limiter
	guesses *rate.Limiter
}

func newSenders() *senders {
	return &senders{
		phones:    map[netip.AddrPort]*phone{},
		strangers: rate.NewLimiter(strangerRate, strangerBurst),
		guesses:   rate.NewLimiter(wrongRate, wrongBurst),
	}
}

// admit takes one message from a sender's allowance.
func (s *senders) admit(from netip.AddrPort, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phones[from]; p != nil {
		return p.limit.AllowN(now, 1)
	}
	return s.strangers.AllowN(now, 1)
}

// known reports whether a sender has authenticated lately.
func (s *senders) known(from netip.AddrPort, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phones[from]
	return p != nil && now.Sub(p.seen) < phoneLife
}

// knownHost reports whether an authenticated sender has this address.
func (s *senders) knownHost(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for from := range s.phones {
		if from.Addr() == a {
			return true
		}
	}
	return false
}

// learn remembers a sender that gave the right password; the one not seen longest goes.
func (s *senders) learn(from netip.AddrPort, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phones[from]; p != nil {
		p.seen = now
		return
	}
	if len(s.phones) >= maxPhones {
		var oldest netip.AddrPort
		for a, p := range s.phones {
			if !oldest.IsValid() || p.seen.Before(s.phones[oldest].seen) {
				oldest = a
			}
		}
		delete(s.phones, oldest)
	}
	s.phones[from] = &phone{now, rate.NewLimiter(phoneRate, phoneBurst),
		rate.NewLimiter(wrongRate, wrongBurst)}
}

// forget drops a sender whose connection has closed.
func (s *senders) forget(from netip.AddrPort) {
	s.mu.Lock()
	delete(s.phones, from)
	s.mu.Unlock()
}

// mayGuess takes one wrong password from the allowance.
func (s *senders) mayGuess(from netip.AddrPort, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phones[from]; p != nil {
		return p.guesses.AllowN(now, 1)
	}
	return s.guesses.AllowN(now, 1)
}
