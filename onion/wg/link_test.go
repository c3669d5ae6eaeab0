// The one socket: when it is replaced, and that nothing leaves without it.

package wg

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.zx2c4.com/wireguard/conn"
)

// A socketry hands out wires, and keeps their far ends.
type socketry struct {
	mu     sync.Mutex
	far    []*wire
	refuse error
	to     []netip.AddrPort
}

func (s *socketry) open(_ context.Context, to netip.AddrPort) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = append(s.to, to)
	if s.refuse != nil {
		return nil, s.refuse
	}
	near, far := newWires()
	s.far = append(s.far, far)
	return near, nil
}

// refuses sets why no socket can be opened.
func (s *socketry) refuses(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = err
}

// linked starts a link that reads, and counts what it reads.
func linked(t *testing.T, s *socketry) (l *link, got chan string, greeted chan bool) {
	first, err := s.open(t.Context(), netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	l = newLink(netip.MustParseAddrPort("192.0.2.1:51820"), first)
	got, greeted = make(chan string, 64), make(chan bool, 64)
	l.Close() // as WireGuard does before it opens
	receive, _, _ := l.Open(0)
	l.keep(s.open, func() { greeted <- true })
	l.work.Go(func() {
		b, sizes, from := [][]byte{make([]byte, 2000)}, []int{0}, []conn.Endpoint{nil}
		for {
			if _, err := receive[0](b, sizes, from); err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("WireGuard is told %v", err)
				}
				return
			}
			got <- string(b[0][:sizes[0]])
		}
	})
	return l, got, greeted
}

func (l *link) say(text string) error { return l.Send([][]byte{[]byte(text)}, nil) }

func TestSocketIsReplacedWhenItFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &socketry{}
		l, got, greeted := linked(t, s)
		defer l.end()
		first, _, _ := l.state()
		first.(*wire).setFail(syscall.ENETUNREACH)
		s.refuses(syscall.ENETUNREACH) // no network at all
		if err := l.say("lost"); err == nil {
			t.Error("sent over a socket that fails")
		}
		synctest.Wait()
		if err := l.say("lost too"); err != errNoSocket {
			t.Errorf("sent without a socket: %v", err)
		}
		s.refuses(nil)
		<-greeted
		if err := l.say("hello"); err != nil {
			t.Fatal(err)
		}
		if p := <-s.far[1].in; string(p) != "hello" {
			t.Errorf("the new socket carries %q", p)
		}
		s.far[1].out <- []byte("answer")
		if <-got != "answer" {
			t.Error("the new socket is not read")
		}
		for _, to := range s.to[1:] {
			if to != l.to {
				t.Error("a socket that leads elsewhere was asked for")
			}
		}
	})
}

func TestSocketIsReplacedWhenNothingComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &socketry{}
		l, _, greeted := linked(t, s)
		defer l.end()
		begun := time.Now()
		l.say("a packet of data, more than a keepalive, that nobody answers")
		<-greeted
		if d := time.Since(begun); d < silence || d > 2*silence {
			t.Errorf("replaced after %v", d)
		}
	})
}

func TestIdleSocketStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &socketry{}
		l, got, greeted := linked(t, s)
		defer l.end()
		l.say("a packet of data, more than a keepalive, that is answered")
		s.far[0].out <- []byte("answer")
		<-got
		for range 20 { // nobody answers these
			l.say(string(make([]byte, keepalive)))
			after := time.NewTimer(25 * time.Second)
			select {
			case <-greeted:
				t.Fatal("the socket was replaced")
			case <-after.C:
			}
		}
	})
}

func TestSocketOutlivesReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &socketry{}
		l, _, greeted := linked(t, s)
		defer l.end()
		first, _, _ := l.state()
		for _, err := range []error{syscall.ECONNREFUSED, syscall.EAGAIN, syscall.EPERM,
			syscall.EMSGSIZE, &net.OpError{Err: os.NewSyscallError("write", syscall.ENOBUFS)}} {
			first.(*wire).setFail(err)
			if l.say("x") != nil {
				t.Errorf("%v ends the use of the socket", err)
			}
		}
		synctest.Wait()
		if len(greeted) > 0 || len(s.to) > 1 {
			t.Error("the socket was replaced")
		}
	})
}

func TestRoamingReplacesTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &socketry{}
		l, _, greeted := linked(t, s)
		defer l.end()
		for n := range 3 {
			l.renew()
			<-greeted
			if len(s.far) != n+2 {
				t.Errorf("%d sockets", len(s.far))
			}
		}
		l.say("hello")
		if len(s.far[3].in) != 1 {
			t.Error("the new socket carries nothing")
		}
		for _, far := range s.far[:3] {
			if len(far.in) > 0 {
				t.Error("an old socket carries something")
			}
		}
	})
}
