// Package held keeps what ends with its owner: the conns of a way out are closed when it is.
package held

import (
	"io"
	"net"
	"sync"
)

// A Set holds things that are open. The zero Set is ready.
type Set struct {
	mu   sync.Mutex
	open map[io.Closer]bool
	over bool
}

// Add holds c. If the Set has been closed it closes c at once and returns net.ErrClosed.
func (s *Set) Add(c io.Closer) error {
	if s.keep(c) {
		return nil
	}
	c.Close()
	return net.ErrClosed
}

func (s *Set) keep(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	if s.open == nil {
		s.open = map[io.Closer]bool{}
	}
	s.open[c] = true
	return true
}

// Drop forgets c, which has been closed.
func (s *Set) Drop(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// Close closes everything that is held, and everything that comes later. It reports whether this
// was the first time.
func (s *Set) Close() bool {
	s.mu.Lock()
	open, first := s.open, !s.over
	s.open, s.over = nil, true
	s.mu.Unlock()
	for c := range open {
		c.Close()
	}
	return first
}

// Conn holds a stream until it is closed.
func (s *Set) Conn(c net.Conn) (net.Conn, error) {
	h := &conn{Conn: c, set: s}
	if err := s.Add(h); err != nil {
		return nil, err
	}
	return h, nil
}

type conn struct {
	net.Conn
	set *Set
}

// Close closes the stream and lets it go.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.set.Drop(c)
	return err
}

// Packets holds a socket until it is closed.
func (s *Set) Packets(c net.PacketConn) (net.PacketConn, error) {
	h := &packets{PacketConn: c, set: s}
	if err := s.Add(h); err != nil {
		return nil, err
	}
	return h, nil
}

type packets struct {
	net.PacketConn
	set *Set
}

// Close closes the socket and lets it go.
func (p *packets) Close() error {
	err := p.PacketConn.Close()
	p.set.Drop(p)
	return err
}
