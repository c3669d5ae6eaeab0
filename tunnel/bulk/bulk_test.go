// The claims of this package: streams cross a road that loses packets, belong to their session
// alone, and say nothing of the far side's words.

package bulk

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A road carries packets to its twin and loses every so many.
type road struct {
	in    chan []byte
	twin  *road
	lose  int64
	count atomic.Int64
	late  chan struct{}
}

type nowhere struct{}

func (nowhere) Network() string { return "road" }
func (nowhere) String() string  { return "road" }

func newRoads(lose int64) (a, b *road) {
	a = &road{in: make(chan []byte, 256), lose: lose, late: make(chan struct{}, 8)}
	b = &road{in: make(chan []byte, 256), lose: lose, late: make(chan struct{}, 8), twin: a}
	a.twin = b
	return a, b
}

func (r *road) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-r.in:
		return copy(b, p), nowhere{}, nil
	case <-r.late:
		return 0, nil, os.ErrDeadlineExceeded
	}
}

func (r *road) WriteTo(b []byte, _ net.Addr) (int, error) {
	if r.lose > 0 && r.count.Add(1)%r.lose == 0 {
		return len(b), nil
	}
	select {
	case r.twin.in <- bytes.Clone(b):
	default:
	}
	return len(b), nil
}

func (r *road) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		r.late <- struct{}{}
	}
	return nil
}

func (r *road) Close() error                     { return nil }
func (r *road) LocalAddr() net.Addr              { return nowhere{} }
func (r *road) SetDeadline(time.Time) error      { return nil }
func (r *road) SetWriteDeadline(time.Time) error { return nil }
func (r *road) SetReadBuffer(int) error          { return nil }
func (r *road) SetWriteBuffer(int) error         { return nil }

func alive() error { return nil }

// secrets are made up.
func secrets(initiator, responder byte) *Secrets {
	side := func(b byte) Side { return Side{Pin: [32]byte{b}, Veil: [32]byte{b, b}} }
	return &Secrets{side(initiator), side(responder)}
}

// newPair is both sides of one session's streams.
func newPair(lose int64) (a, b *Streams, end func()) {
	ra, rb := newRoads(lose)
	a, b = Start(ra, true, secrets(1, 2), nil, alive), Start(rb, false, secrets(1, 2), nil, alive)
	return a, b, func() { a.Close(); b.Close() }
}

func TestStreamsCrossALossyRoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, end := newPair(17)
		defer end()
		want := bytes.Repeat([]byte("bulk"), 100_000)
		go func() {
			s, err := a.Open(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			s.Write(want)
			s.Close()
		}()
		s, err := b.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, want) {
			t.Error(len(got), err)
		}
	})
}

func TestStreamIsSeenBeforeItIsWrittenTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, end := newPair(0)
		defer end()
		s, err := a.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		far, err := b.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		far.Write([]byte("first"))
		got := make([]byte, 5)
		if _, err := io.ReadFull(s, got); err != nil || string(got) != "first" {
			t.Error(err)
		}
		far.Close()
		if _, err := s.Read(got); err != io.EOF {
			t.Error(err)
		}
		s.SetReadDeadline(time.Now())
		other, _ := b.Open(t.Context())
		other.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := other.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
}

// Who has the packets but not the session is refused; a variant that only skips the check of names,
// as self-signed certificates tempt to, is not even asked who it is.
func TestStreamsArePinnedToTheSession(t *testing.T) {
	for _, wrong := range []*Secrets{secrets(9, 2), secrets(1, 9)} {
		synctest.Test(t, func(t *testing.T) {
			ra, rb := newRoads(0)
			a := Start(ra, true, secrets(1, 2), nil, alive)
			b := Start(rb, false, wrong, nil, alive)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := a.Open(ctx)
			if err == nil {
				_, err = s.Read(make([]byte, 1))
			}
			if err == nil {
				t.Error("streams with one who is not of the session")
			}
			if _, err := b.Accept(ctx); err == nil {
				t.Error("streams with one who is not of the session")
			}
			a.Close()
			b.Close()
		})
	}
	conf, err := pinned(true, secrets(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := pinned(false, secrets(9, 8))
	if err != nil {
		t.Fatal(err)
	}
	naive := conf.Clone()
	naive.VerifyConnection, stranger.VerifyConnection = nil, nil
	for _, c := range []struct {
		conf   *tls.Config
		passes bool
	}{{conf, false}, {naive, true}} {
		near, far := socketPair(t)
		go tls.Server(far, stranger).Handshake()
		err := tls.Client(near, c.conf).Handshake()
		if (err == nil) != c.passes {
			t.Error("stranger passes:", err == nil, "instead of", c.passes)
		}
		near.Close()
		far.Close()
	}
}

// socketPair is two ends of a connection that holds what is written.
func socketPair(t *testing.T) (near, far net.Conn) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp4", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func TestEndOfTheSessionIsWhatStreamsSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("session is over")
		ra, rb := newRoads(0)
		a := Start(ra, true, secrets(1, 2), nil, func() error { return why })
		b := Start(rb, false, secrets(1, 2), nil, alive)
		s, err := a.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		<-b.ready
		b.conn.CloseWithError(1, "words of the far side")
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, why) || err.Error() != why.Error() {
			t.Error(err)
		}
		<-a.Done()
		if _, err := a.Accept(t.Context()); !errors.Is(err, why) {
			t.Error(err)
		}
		a.Close()
		b.Close()
	})
}

func TestFarSideThatReadsNoMoreIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, end := newPair(0)
		defer end()
		s, _ := a.Open(t.Context())
		far, err := b.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		far.Close()
		<-time.After(time.Second)
		for range 100 {
			if _, err = s.Write(make([]byte, 10_000)); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrStopped) {
			t.Error(err)
		}
	})
}
