// Package outlet lets a tor on this machine leave by another way out: it is a SOCKS5 proxy (RFC
// 1928, RFC 1929) for that tor alone, on a loopback listener that it is given. Streams go to
// addresses; it knows no names and no datagrams. Who does not know the login is turned away.
//
// Nothing here opens a socket: the way out does.
package outlet

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"nightjar/onion/held"
)

const (
	most      = 256              // streams at a time that were let in; further ones are closed
	helloTime = 10 * time.Second // for a client to say what it wants
	dialTime  = 30 * time.Second // for the way out to get there
)

// A Dial opens a stream by the way out.
type Dial func(ctx context.Context, to netip.AddrPort) (net.Conn, error)

// A Login is what a tor shows to be let in.
type Login struct{ User, Password string }

// NewLogin returns a login that nobody else has.
func NewLogin() Login { return Login{rand.Text(), rand.Text()} }

// Torrc returns the options by which a tor leaves through the outlet that listens at an address,
// and not otherwise.
func (l Login) Torrc(at net.Addr) []string {
	return []string{
		"Socks5Proxy " + at.String(),
		"Socks5ProxyUsername " + l.User,
		"Socks5ProxyPassword " + l.Password,
	}
}

// An Outlet is such a proxy at work.
type Outlet struct {
	key      Login
	listener net.Listener
	dial     Dial
	open     held.Set
	lobby    lobby
	slots    chan struct{} // of those who were let in
	work     sync.WaitGroup
}

// Serve makes a proxy of a listener, and owns it. It lets in who has the login.
func Serve(l net.Listener, login Login, dial Dial) *Outlet {
	o := &Outlet{key: login, listener: l, dial: dial, slots: make(chan struct{}, most)}
	o.work.Go(o.accept)
	return o
}

// Close ends the outlet and its streams, and returns when nothing of it works any more.
func (o *Outlet) Close() error {
	o.listener.Close()
	o.open.Close()
	o.work.Wait()
	return nil
}

func (o *Outlet) accept() {
	for {
		c, err := o.listener.Accept()
		if err != nil {
			return
		}
		near, err := o.open.Conn(c)
		if err != nil {
			return
		}
		o.lobby.enter(near)
		o.work.Go(func() { o.serve(near) })
	}
}

// serve serves one client to its end.
func (o *Outlet) serve(near net.Conn) {
	defer near.Close()
	near.SetDeadline(time.Now().Add(helloTime))
	err := o.letIn(near)
	o.lobby.leave(near)
	if err != nil {
		return
	}
	select {
	case o.slots <- struct{}{}:
		defer func() { <-o.slots }()
	default:
		return
	}
	to, err := where(near)
	if err != nil {
		return
	}
	far, err := o.reach(to)
	if err != nil {
		say(near, hostUnreachable)
		return
	}
	defer far.Close()
	near.SetDeadline(time.Now().Add(helloTime))
	if say(near, granted) != nil {
		return
	}
	near.SetDeadline(time.Time{})
	join(near, far)
}

// reach opens the stream, unless the outlet ends before.
func (o *Outlet) reach(to netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	defer cancel()
	watch := &watcher{cancel}
	if o.open.Add(watch) != nil {
		return nil, net.ErrClosed
	}
	defer o.open.Drop(watch)
	far, err := o.dial(ctx, to)
	if err != nil {
		return nil, err
	}
	return o.open.Conn(far)
}

// A watcher ends a dial when the outlet ends.
type watcher struct{ cancel context.CancelFunc }

func (w *watcher) Close() error {
	w.cancel()
	return nil
}

// join carries bytes both ways until one side ends.
func join(a, b net.Conn) {
	var work sync.WaitGroup
	one := func(to, from net.Conn) {
		io.Copy(to, from)
		to.Close()
		from.Close()
	}
	work.Go(func() { one(a, b) })
	one(b, a)
	work.Wait()
}
