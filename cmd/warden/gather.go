// The outlets of several tors, heard as one.

package warden

import (
	"net"
	"slices"
	"sync"
)

// wallPort is the port of the outlet, in networks where nobody else is.
const wallPort = 1080

// wallAt is where each tor finds it.
func wallAt() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: wallPort} }

// A gathering is a net.Listener that hears what is said at others, until they end.
type gathering struct {
	in   chan net.Conn
	done chan struct{}
	once sync.Once
	work sync.WaitGroup

	mu  sync.Mutex
	all []net.Listener // nil once closed
}

func gather() *gathering {
	return &gathering{in: make(chan net.Conn), done: make(chan struct{}),
		all: []net.Listener{}}
}

// add hears at a listener too, and owns it. After Close it closes it.
func (g *gathering) add(l net.Listener) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil {
		l.Close()
		return
	}
	g.all = append(g.all, l)
	g.work.Go(func() {
		defer g.drop(l)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case g.in <- c:
			case <-g.done:
				c.Close()
			}
		}
	})
}

// drop forgets a listener that has been closed.
func (g *gathering) drop(l net.Listener) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.all, l); i >= 0 {
		g.all = slices.Delete(g.all, i, i+1)
	}
}

// Accept returns the next connection to any of them.
func (g *gathering) Accept() (net.Conn, error) {
	select {
	case c := <-g.in:
		return c, nil
	case <-g.done:
		return nil, net.ErrClosed
	}
}

// Close closes all of them, and returns when none is heard any more.
func (g *gathering) Close() error {
	g.once.Do(func() { close(g.done) })
	g.mu.Lock()
	for _, l := range g.all {
		l.Close()
	}
	g.all = nil
	g.mu.Unlock()
	g.work.Wait()
	return nil
}

// Addr returns the address that all of them have, each in its network.
func (g *gathering) Addr() net.Addr { return wallAt() }
