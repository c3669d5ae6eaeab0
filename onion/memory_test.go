// The twin keeps the rules that the rooms above rely on.

package onion

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func publish(t *testing.T, p Path, s Service) Listener {
	t.Helper()
	s.Port = 1
	l, err := p.Publish(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestStreamsReachTheServiceAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory()
		here, there := m.Path(), m.Path()
		defer here.Close()
		defer there.Close()
		l := publish(t, there, Service{})
		<-l.Published()
		go func() {
			c, err := l.Accept()
			if err == nil {
				io.Copy(c, c)
				c.Close()
			}
		}()
		c, err := here.Dial(t.Context(), Remote{ID: l.ID(), Port: 1}, NewIsolation())
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("hello"))
		got := make([]byte, 5)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
			t.Errorf("read %q, %v", got, err)
		}
		c.Close()
	})
}

func TestNobodyIsThere(t *testing.T) {
	m := NewMemory()
	p := m.Path()
	l := publish(t, p, Service{})
	dial := func(port uint16) error {
		_, err := p.Dial(t.Context(), Remote{ID: l.ID(), Port: port}, "")
		return err
	}
	if err := dial(2); !errors.Is(err, ErrNoService) {
		t.Errorf("another port: %v", err)
	}
	l.Close()
	if err := dial(1); !errors.Is(err, ErrNoService) {
		t.Errorf("after the listener closed: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept on a closed listener: %v", err)
	}
	if _, err := p.Dial(t.Context(), Remote{ID: "nobody", Port: 1}, ""); !errors.Is(err, ErrRemote) {
		t.Errorf("not an id: %v", err)
	}
}

func TestOnlyAuthorizedClientsGetIn(t *testing.T) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := NewMemory()
	p := m.Path()
	l := publish(t, p, Service{Clients: [][32]byte{[32]byte(key.PublicKey().Bytes())}})
	known := Remote{ID: l.ID(), Port: 1, Auth: [32]byte(key.Bytes()), HasAuth: true}
	if _, err := p.Dial(t.Context(), known, ""); err != nil {
		t.Errorf("an authorized client was refused: %v", err)
	}
	stranger := Remote{ID: l.ID(), Port: 1}
	wrong := Remote{ID: l.ID(), Port: 1, Auth: [32]byte{1}, HasAuth: true}
	for _, to := range []Remote{stranger, wrong} {
		if _, err := p.Dial(t.Context(), to, ""); !errors.Is(err, ErrNotAuthorized) {
			t.Errorf("a stranger was let in: %v", err)
		}
	}
	// The naive service, open to all, shows that the stranger's dial does work.
	open := publish(t, p, Service{Seed: [32]byte{1}})
	stranger.ID = open.ID()
	if _, err := p.Dial(t.Context(), stranger, ""); err != nil {
		t.Errorf("an open service refused a stranger: %v", err)
	}
}

func TestClosedPathEndsItsStreamsAndListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory()
		here, there := m.Path(), m.Path()
		defer here.Close()
		l := publish(t, there, Service{})
		near, err := here.Dial(t.Context(), Remote{ID: l.ID(), Port: 1}, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		there.Close()
		if _, err := near.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the far path closed: %v", err)
		}
		if _, err := l.Accept(); err == nil {
			t.Error("a closed path accepts")
		}
		_, err = there.Dial(t.Context(), Remote{ID: l.ID(), Port: 1}, "")
		if !errors.Is(err, ErrPathClosed) {
			t.Errorf("a closed path dials: %v", err)
		}
		if _, err := there.Publish(t.Context(), Service{Port: 1}); !errors.Is(err, ErrPathClosed) {
			t.Errorf("a closed path publishes: %v", err)
		}
	})
}

func TestDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory()
		p := m.Path()
		defer p.Close()
		l := publish(t, p, Service{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for n := 0; ; n++ { // nobody accepts: at some time a dial must wait
			_, err := p.Dial(ctx, Remote{ID: l.ID(), Port: 1}, "")
			if err == nil {
				continue
			}
			if !errors.Is(err, context.DeadlineExceeded) || n != accepting {
				t.Errorf("dial %d: %v", n, err)
			}
			break
		}
	})
}

func TestErrorsNameNoService(t *testing.T) {
	p := NewMemory().Path()
	id := "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
	_, err := p.Dial(t.Context(), Remote{ID: id, Port: 4321}, "")
	if want := "dial: the other side: the service is not reachable now"; err.Error() != want {
		t.Errorf("error text %q", err)
	}
}
