// Bounds: what one contact, or all of them, may take; and a day in the life of a session.

package datagram

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel"
)

func TestContactHasFewSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		defer c.close()
		var all []*Conn
		for range perContact + 2 {
			a, b := c.connect(t)
			all = append(all, b)
			<-time.After(3 * time.Second)
			if a.Err() != nil {
				t.Error(a.Err())
			}
		}
		for i, b := range all {
			if ended := b.Err() != nil; ended != (i < 2) {
				t.Error("session", i, b.Err())
			}
		}
	})
}

// Two sessions of the same two, on the same two sockets, as one for talk and one for a call: what
// is said in one comes by that one, and one outlives the other.
func TestTwoSessionsOfTheSameTwoStandSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		defer c.close()
		a1, b1 := c.connect(t)
		a2, b2 := c.connect(t)
		if a1.Binding() != b1.Binding() || a2.Binding() != b2.Binding() ||
			a1.Binding() == a2.Binding() {
			t.Fatal("the sessions are not two")
		}
		a2.SetShape(Call())
		c.n.move(c.aEnd, place(9))
		c.ea.Moved()
		for i := range byte(50) {
			a1.SendDatagram([]byte{1, i})
			a2.SendDatagram([]byte{2, i})
			for n, b := range []*Conn{b1, b2} {
				if d, err := b.ReceiveDatagram(t.Context()); err != nil ||
					!bytes.Equal(d, []byte{byte(n + 1), i}) {
					t.Fatal(n, d, err)
				}
			}
		}
		a2.Close()
		<-b2.Done()
		if err := a1.SendMessage(t.Context(), []byte("on")); err != nil {
			t.Fatal(err)
		}
		if m, err := b1.ReceiveMessage(t.Context()); err != nil || string(m) != "on" {
			t.Error(err)
		}
	})
}

func TestUnreadDatagramsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for range 5000 {
			a.SendDatagram(make([]byte, 1200))
			<-time.After(time.Millisecond)
		}
		<-time.After(time.Second)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if n := b.in.waiting(); n == 0 || n*1200 > inletBytes {
			t.Error(n, "datagrams wait")
		}
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4*inletBytes {
			t.Error("memory grew by", grown)
		}
	})
}

func TestUnreadMessagesHoldUpTheirSenderOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		sent := 0
		for a.SendMessage(ctx, []byte("unread")) == nil {
			sent++
		}
		if sent > 300 || a.Err() != nil || b.Err() != nil {
			t.Error(sent, "messages wait;", a.Err(), b.Err())
		}
		if age := time.Since(b.epochSince()); age > 2*renewAfter+time.Minute {
			t.Error("unread messages hold up the renewal of keys:", age)
		}
		for range sent {
			if _, err := b.ReceiveMessage(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestClosedEndpointEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		s, err := a.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.eb.Close()
		if _, err := s.Read(make([]byte, 1)); err == nil {
			t.Error("a stream outlives its session")
		}
		<-a.Done()
		if !errors.Is(a.Err(), tunnel.ErrEnded) || !errors.Is(b.Err(), tunnel.ErrClosed) {
			t.Error(a.Err(), b.Err())
		}
		c.ea.Close()
		if _, err := c.ea.Dial(t.Context(), c.b, place(2)); !errors.Is(err, tunnel.ErrClosed) {
			t.Error(err)
		}
		if _, err := c.eb.Accept(t.Context()); !errors.Is(err, tunnel.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestBrokenCarrierEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, _ := newPair(t)
		defer c.close()
		c.aEnd.Close()
		<-a.Done()
		if !errors.Is(a.Err(), tunnel.ErrCarrier) {
			t.Error(a.Err())
		}
	})
}

// A day with loss, doubling, reordering, and a new address every ten minutes after an outage.
func TestDayOfASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		c.n.weather(0.03, 0.02, 60*time.Millisecond)
		end, moved := time.Now().Add(24*time.Hour), make(chan struct{})
		defer func() { <-moved }()
		go func() {
			defer close(moved)
			for i := 0; time.Now().Before(end); i++ {
				<-time.After(10 * time.Minute)
				c.n.weather(1, 0, 0)
				<-time.After(5 * time.Second)
				c.n.move(c.aEnd, place(100+i%100))
				c.n.weather(0.03, 0.02, 60*time.Millisecond)
				if i%2 == 0 {
					c.ea.Moved() // else its far side learns by itself
				}
			}
		}()
		go echoStreams(t, b)
		messages := 0
		for ; time.Now().Before(end); messages++ {
			want := fmt.Appendf(nil, "message %d", messages)
			if err := a.SendMessage(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			if got, err := b.ReceiveMessage(t.Context()); !bytes.Equal(got, want) {
				t.Fatalf("%q came instead of %q: %v", got, want, err)
			}
			a.SendDatagram(want)
			b.SendDatagram(want)
			if messages%60 == 0 {
				echoed(t, a)
			}
			<-time.After(time.Minute)
		}
		if a.Err() != nil || b.Err() != nil || messages < 1300 {
			t.Error(messages, a.Err(), b.Err())
		}
		if age := time.Since(a.epochSince()); age > 5*time.Minute {
			t.Error("the keys are", age, "old")
		}
	})
}

// echoStreams sends back what comes by streams.
func echoStreams(t *testing.T, c *Conn) {
	for {
		s, err := c.AcceptStream(t.Context())
		if err != nil {
			return
		}
		go func() {
			io.Copy(s, s)
			s.Close()
		}()
	}
}

// echoed sends a stream and reads it back.
func echoed(t *testing.T, c *Conn) {
	s, err := c.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("stream"), 5000)
	go func() {
		s.Write(want)
		s.(interface{ CloseWrite() error }).CloseWrite()
	}()
	if got, err := io.ReadAll(s); !bytes.Equal(got, want) {
		t.Fatal(len(got), err)
	}
	s.Close()
}
