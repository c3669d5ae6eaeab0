// The life of a session: idle hours, new keys, silence, forgery, rules broken, and its end.

package tunnel

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"nightjar/tunnel/record"
)

func TestIdleSessionLivesForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		ta, tb := &tap{Conn: ca}, &tap{Conn: cb}
		a, b := newContacts(t).connect(t, ta, tb)
		<-time.After(24 * time.Hour)
		if a.Err() != nil || b.Err() != nil {
			t.Error(a.Err(), b.Err())
		}
		for _, c := range []*tap{ta, tb} {
			got := time.Duration(c.count() / RecordSize)
			most := 24 * time.Hour / (heartbeat - heartbeatJitter)
			if got > most+4 || got < 24*time.Hour/(heartbeat+heartbeatJitter) {
				t.Error("records in an idle day:", int(got))
			}
		}
		a.SendDatagram([]byte("good morning"))
		if _, err := b.ReceiveDatagram(t.Context()); err != nil {
			t.Error(err)
		}
		a.Close()
		b.Close()
	})
}

func TestKeysAreRenewedEveryTwoMinutesOfUse(t *testing.T) {
	for _, clock := range []time.Duration{0, frameTime} {
		synctest.Test(t, func(t *testing.T) {
			a, b := newPair(t)
			a.SetClock(clock)
			b.SetClock(clock)
			bindings := map[[32]byte]bool{}
			for n := range 3600 {
				from, to := a, b
				if n%2 == 0 {
					from, to = b, a
				}
				from.SendDatagram([]byte("use"))
				if _, err := to.ReceiveDatagram(t.Context()); err != nil {
					t.Fatal("second", n, err)
				}
				<-time.After(time.Second)
				bindings[sessionOf(a)] = true
			}
			if n := len(bindings); n < 27 || n > 31 {
				t.Error("sessions in an hour of use:", n)
			}
			synctest.Wait()
			if sessionOf(a) != sessionOf(b) || a.Binding() != b.Binding() {
				t.Error("the sides are in different sessions")
			}
			quiet := sessionOf(a)
			<-time.After(10 * time.Minute)
			then := sessionOf(a)
			<-time.After(time.Hour)
			if sessionOf(a) != then {
				t.Error("an idle session was renewed")
			}
			b.SendDatagram([]byte("use again"))
			<-time.After(time.Minute)
			if sessionOf(a) == then || sessionOf(a) == quiet {
				t.Error("not renewed when used again")
			}
			a.Close()
			b.Close()
		})
	}
}

func sessionOf(c *Conn) [32]byte {
	c.keys.mu.Lock()
	defer c.keys.mu.Unlock()
	return c.keys.session.Binding
}

func TestRenewalLosesNothingOfABulkTransfer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		a, b := newContacts(t).connect(t, &narrow{ca, narrowRate}, &narrow{cb, narrowRate})
		first := sessionOf(a)
		const size = 20_000_000 // seven minutes
		go func() {
			s, err := a.OpenStream(t.Context())
			if err == nil {
				io.Copy(s, io.LimitReader(counter{new(byte)}, size))
				s.Close()
			}
		}()
		s, err := b.AcceptStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n, want := 0, byte(0)
		for buf := make([]byte, 1<<16); ; {
			m, err := s.Read(buf)
			for _, c := range buf[:m] {
				if want++; c != want {
					t.Fatal("byte", n, "differs")
				}
				n++
			}
			if err != nil {
				break
			}
		}
		if n != size || sessionOf(a) == first {
			t.Error("bytes:", n, "renewed:", sessionOf(a) != first, a.Err(), b.Err())
		}
		a.Close()
		b.Close()
	})
}

// A counter reads as 1, 2, 3...
type counter struct{ n *byte }

func (c counter) Read(b []byte) (int, error) {
	for i := range b {
		*c.n++
		b[i] = *c.n
	}
	return len(b), nil
}

// What nothing points to, the collector erases: it was made where erasing is on.
func TestOldKeysAreLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		var old []weak.Pointer[record.Lane]
		for _, c := range []*Conn{a, b} {
			s := c.keys.session
			old = append(old, weak.Make(s.Send), weak.Make(s.Receive))
		}
		held := a.keys.session.Send // as a careless session might, for late records
		a.SendDatagram([]byte("use"))
		<-time.After(renewAfter + time.Minute)
		runtime.GC()
		runtime.GC()
		left := 0
		for _, p := range old {
			if p.Value() != nil {
				left++
			}
		}
		if left != 1 {
			t.Error("old lanes still held:", left-1, "of", len(old))
		}
		runtime.KeepAlive(held)
		a.Close()
		b.Close()
	})
}

// A dropper is a carrier on which, once cut, nothing arrives and nothing fails.
type dropper struct {
	net.Conn
	cut chan struct{}
}

func (c *dropper) Write(b []byte) (int, error) {
	select {
	case <-c.cut:
		return len(b), nil
	default:
		return c.Conn.Write(b)
	}
}

// Close of a cut carrier reaches this side alone.
func (c *dropper) Close() error {
	select {
	case <-c.cut:
		return c.Conn.SetDeadline(time.Unix(1, 0))
	default:
		return c.Conn.Close()
	}
}

func TestDeathIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		cut := make(chan struct{})
		a, b := newContacts(t).connect(t, &dropper{ca, cut}, &dropper{cb, cut})
		<-time.After(time.Minute)
		start := time.Now()
		close(cut)
		<-a.Done()
		<-b.Done()
		if !errors.Is(a.Err(), ErrSilent) || !errors.Is(b.Err(), ErrSilent) {
			t.Error(a.Err(), b.Err())
		}
		if took := time.Since(start); took > silence || took < silence-heartbeat-heartbeatJitter {
			t.Error("noticed after", took)
		}
		a.Close()
		b.Close()
	})
}

func TestErrorsNameNoPlace(t *testing.T) {
	place := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 4711}
	for cause, want := range map[error]error{
		os.NewSyscallError("read", syscall.ECONNRESET): syscall.ECONNRESET,
		os.ErrDeadlineExceeded:                         ErrSilent,
		io.EOF:                                         ErrCarrier,
		errors.New("lookup secret.example: no host"):   ErrCarrier,
	} {
		err := carrierError(&net.OpError{Op: "read", Net: "tcp", Addr: place, Err: cause})
		if !errors.Is(err, want) {
			t.Error(cause, "became", err)
		}
		if s := err.Error(); strings.Contains(s, "203") || strings.Contains(s, "secret") {
			t.Error("names a place:", s)
		}
	}
}

func TestLostCarrierEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		a, b := newContacts(t).connect(t, ca, cb)
		s, err := a.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cb.Close()
		<-a.Done()
		<-b.Done()
		if !errors.Is(a.Err(), ErrCarrier) || !errors.Is(b.Err(), ErrCarrier) {
			t.Error(a.Err(), b.Err())
		}
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, ErrCarrier) {
			t.Error("stream:", err)
		}
		if _, err := a.ReceiveDatagram(t.Context()); !errors.Is(err, ErrCarrier) {
			t.Error("datagram:", err)
		}
		if _, err := a.AcceptStream(t.Context()); !errors.Is(err, ErrCarrier) {
			t.Error("accept:", err)
		}
		a.Close()
		b.Close()
		a.Close()
	})
}
