// The claims of a session: what is sent arrives, and everything ends.

package datagram

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel"
)

func TestContactsMeetAndSpeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		if a.Peer() != c.b.Static || b.Peer() != c.a.Static || a.Binding() != b.Binding() {
			t.Error("the two do not agree on who they are")
		}
		if !a.Initiator() || b.Initiator() {
			t.Error("both or neither dialled")
		}
		for n := 0; n <= MaxDatagram; n += 37 {
			want := bytes.Repeat([]byte{byte(n)}, n)
			if err := a.SendDatagram(want); err != nil {
				t.Fatal(err)
			}
			got, err := b.ReceiveDatagram(t.Context())
			if err != nil || !bytes.Equal(got, want) {
				t.Fatal(n, len(got), err)
			}
		}
		if err := a.SendDatagram(make([]byte, MaxDatagram+1)); !errors.Is(err, tunnel.ErrTooLong) {
			t.Error("too long a datagram:", err)
		}
	})
}

func TestStreamsCarryBothWays(t *testing.T) {
	for _, byResponder := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, a, b := newPair(t)
			defer c.close()
			if byResponder {
				a, b = b, a
			}
			done := make(chan []byte)
			go func() {
				s, err := b.AcceptStream(t.Context())
				if err != nil {
					t.Error(err)
					close(done)
					return
				}
				got, _ := io.ReadAll(s)
				s.Write([]byte("taken"))
				s.Close()
				done <- got
			}()
			s, err := a.OpenStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := bytes.Repeat([]byte("stream "), 20000)
			s.Write(want)
			s.(interface{ CloseWrite() error }).CloseWrite()
			if got := <-done; !bytes.Equal(got, want) {
				t.Error("stream came as", len(got), "bytes")
			}
			if answer, _ := io.ReadAll(s); string(answer) != "taken" {
				t.Errorf("answer was %q", answer)
			}
		})
	}
}

func TestMessagesArriveOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		c.n.weather(0.3, 0.2, 50*time.Millisecond)
		const messages = 300
		go func() {
			for i := range messages {
				m := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 1+i*7%(MaxMessage/2))
				if err := a.SendMessage(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
		}()
		for i := range messages {
			m, err := b.ReceiveMessage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(m) != 2*(1+i*7%(MaxMessage/2)) || m[0] != byte(i) || m[1] != byte(i>>8) {
				t.Fatal("message", i, "is another one")
			}
		}
	})
}

func TestCloseTellsTheFarSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		a.SendMessage(t.Context(), []byte("last words"))
		a.Close()
		<-b.Done()
		if !errors.Is(a.Err(), tunnel.ErrClosed) || !errors.Is(b.Err(), tunnel.ErrEnded) {
			t.Error(a.Err(), b.Err())
		}
		if m, err := b.ReceiveMessage(t.Context()); string(m) != "last words" {
			t.Error("what was said before the farewell is lost:", err)
		}
		if err := a.SendDatagram([]byte("late")); !errors.Is(err, tunnel.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestSilenceEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a, b := newPair(t)
		defer c.close()
		<-time.After(time.Second)
		start := time.Now()
		c.n.weather(1, 0, 0)
		<-a.Done()
		<-b.Done()
		took := time.Since(start)
		if !errors.Is(a.Err(), tunnel.ErrSilent) || !errors.Is(b.Err(), tunnel.ErrSilent) ||
			took < silence-heartbeat-jitter || took > silence+20*time.Second {
			t.Error(a.Err(), took)
		}
	})
}

func TestHandlerGetsDatagramsAsTheyCome(t *testing.T) {
	for _, every := range []time.Duration{0, 40 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			c, a, b := newPair(t)
			a.SetClock(every)
			came := 0
			b.HandleDatagrams(func(all [][]byte) {
				for _, d := range all {
					if string(d) == "voice" {
						came++
					}
				}
			})
			for range 100 {
				a.SendDatagram([]byte("voice"))
				<-time.After(40 * time.Millisecond)
			}
			b.HandleDatagrams(nil)
			a.SendDatagram([]byte("later"))
			for got := ""; got != "later"; {
				d, err := b.ReceiveDatagram(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got = string(d)
			}
			c.close()
			if came < 99 {
				t.Error(came, "of 100 were handled")
			}
		})
	}
}
