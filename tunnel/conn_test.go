// What a session does for its users: datagrams, streams, and an end.

package tunnel

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestBothSidesAgreeOnTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		ca, cb := net.Pipe()
		a, b := c.connect(t, ca, cb)
		defer a.Close()
		defer b.Close()
		if a.Peer() != c.b.Static || b.Peer() != c.a.Static {
			t.Error("peers are not who they are")
		}
		if a.Binding() != b.Binding() || a.Binding() == [32]byte{} {
			t.Error("bindings differ")
		}
		if !a.Initiator() || b.Initiator() {
			t.Error("roles are mixed up")
		}
	})
}

func TestDatagramsOfEveryLengthArriveWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		defer a.Close()
		defer b.Close()
		for n := range MaxDatagram + 2 {
			sent := bytes.Repeat([]byte{byte(n)}, n)
			err := a.SendDatagram(sent)
			if n > MaxDatagram {
				if !errors.Is(err, ErrTooLong) {
					t.Fatal("too long a datagram was taken:", err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.ReceiveDatagram(t.Context())
			if err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("datagram of %d bytes: got %d, %v", n, len(got), err)
			}
		}
	})
}

func TestStreamsCarryBothWaysAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		defer a.Close()
		defer b.Close()
		go func() {
			for {
				s, err := b.AcceptStream(context.Background())
				if err != nil {
					return
				}
				go func() {
					io.Copy(s, s)
					s.Close()
				}()
			}
		}()
		done := make(chan struct{})
		for i := range 20 {
			go func() {
				defer func() { done <- struct{}{} }()
				echo(t, a, 1000+i*20000)
			}()
		}
		for range 20 {
			<-done
		}
	})
}

// echo sends n random bytes through a stream of a and wants them back.
func echo(t *testing.T, a *Conn, n int) {
	s, err := a.OpenStream(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	defer s.Close()
	sent := make([]byte, n)
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	go func() {
		s.Write(sent)
		s.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("echo of %d bytes: %d came back, %v", n, len(got), err)
	}
}

func TestCloseReachesTheFarSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		s, err := a.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.Write([]byte("the last words"))
		a.Close()
		if !errors.Is(a.Err(), ErrClosed) {
			t.Error("own end:", a.Err())
		}
		<-b.Done()
		if !errors.Is(b.Err(), ErrEnded) {
			t.Error("far end:", b.Err())
		}
		if err := a.SendDatagram(nil); !errors.Is(err, ErrClosed) {
			t.Error("a closed tunnel took a datagram:", err)
		}
		b.Close()
	})
}

func TestWhatWasWrittenBeforeCloseArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		defer b.Close()
		s, err := a.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sent := bytes.Repeat([]byte("words"), 4000)
		s.Write(sent)
		s.Close()
		a.Close()
		r, err := b.AcceptStream(t.Context())
		if err == nil {
			var got []byte
			if got, err = io.ReadAll(r); bytes.Equal(got, sent) {
				return
			}
		}
		t.Fatal("lost:", err)
	})
}

func TestBlockedCarrierBlocksNeitherDatagramsNorClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		ca, cb := net.Pipe()
		gate := &gate{Conn: cb, open: make(chan struct{})}
		a, b := c.connect(t, ca, gate)
		gate.shut()
		start := time.Now()
		for n := range 1000 {
			if err := a.SendDatagram([]byte{byte(n >> 8), byte(n)}); err != nil {
				t.Fatal(err)
			}
		}
		if time.Since(start) != 0 {
			t.Error("SendDatagram waited", time.Since(start))
		}
		a.Close()
		if took := time.Since(start); took > linger {
			t.Error("Close waited", took)
		}
		b.Close()
	})
}

// A gate is a carrier whose reads can be held up.
type gate struct {
	net.Conn
	open chan struct{}
	held atomic.Bool
}

func (g *gate) shut() {
	synctest.Wait()
	g.held.Store(true)
}

func (g *gate) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if g.held.Load() && err == nil {
		<-g.open
	}
	return n, err
}

func (g *gate) Close() error {
	select {
	case <-g.open:
	default:
		close(g.open)
	}
	return g.Conn.Close()
}
