// A socket of a machine in memory.

package inet

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"nightjar/onion/quiet"
)

// A socket meets net.PacketConn. Its addresses are *net.UDPAddr.
type socket struct {
	way *Way

	mu      sync.Mutex // held for a moment only, and never with the internet's
	changed *sync.Cond
	queue   []datagram
	closed  bool
	until   time.Time // deadline for reading; zero for none
	timer   *time.Timer
}

type datagram struct {
	body []byte
	from netip.AddrPort
}

func (s *socket) push(b []byte, from netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && len(s.queue) < room {
		s.queue = append(s.queue, datagram{b, from})
		s.changed.Signal()
	}
}

// ReadFrom waits for a datagram; what does not fit b is cut off.
func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, nil, net.ErrClosed
		case len(s.queue) > 0:
			d := s.queue[0]
			s.queue = s.queue[1:]
			return copy(b, d.body), net.UDPAddrFromAddrPort(d.from), nil
		case !s.until.IsZero() && !time.Now().Before(s.until):
			return 0, nil, os.ErrDeadlineExceeded
		}
		s.changed.Wait()
	}
}

// WriteTo sends a datagram. Where it cannot arrive it is lost.
func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, syscall.EINVAL
	}
	at := netip.AddrPortFrom(u.AddrPort().Addr().Unmap(), u.AddrPort().Port())
	return len(b), s.way.net.carry(s, bytes.Clone(b), at)
}

// Close closes the socket and its ports.
func (s *socket) Close() error {
	s.way.net.mu.Lock()
	delete(s.way.open, s)
	for p, h := range s.way.holes {
		if h.socket == s {
			delete(s.way.holes, p)
		}
	}
	s.way.net.mu.Unlock()
	s.shut()
	return nil
}

func (s *socket) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.queue = true, nil
	if s.timer != nil {
		s.timer.Stop()
	}
	s.changed.Broadcast()
}

// SetReadDeadline ends reading at t.
func (s *socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.until = t
	if !t.IsZero() {
		s.timer = time.AfterFunc(max(0, time.Until(t)), s.changed.Broadcast)
	}
	s.changed.Broadcast()
	return nil
}

// SetDeadline is SetReadDeadline: sending never waits.
func (s *socket) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetWriteDeadline does nothing.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// LocalAddr says nothing: what others see is for others to say.
func (s *socket) LocalAddr() net.Addr { return quiet.Addr{} }
