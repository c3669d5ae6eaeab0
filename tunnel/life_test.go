// The life of a session: idle hours, new keys, silence, forgery, rules broken, and its end.

package tunnel

import (
	"context"
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

	"nightjar/tunnel/handshake"
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

// A raw is one side of a session whose records the test makes itself.
type raw struct {
	c net.Conn
	s *handshake.Session
}

// newRaw makes a session of a Conn with a raw side that dials, or is dialled.
func newRaw(t *testing.T, dials bool) (raw, *Conn) {
	t.Helper()
	c := newContacts(t)
	ours, theirs := net.Pipe()
	made := make(chan *Conn)
	go func() {
		var conn *Conn
		var err error
		if dials {
			conn, err = new(Door).Accept(context.Background(), theirs, c.bKey, peersOf(c.a))
		} else {
			conn, err = Dial(context.Background(), theirs, c.aKey, c.b)
		}
		if err != nil {
			t.Error(err)
		}
		made <- conn
	}()
	r := raw{c: ours}
	var err error
	if dials {
		if r.s, err = call(ours, c.aKey, c.b); err != nil {
			t.Fatal(err)
		}
		r.say(t)
	} else {
		wire := make([]byte, handshake.Size)
		io.ReadFull(ours, wire)
		var reply []byte
		r.s, reply, err = handshake.Answer(c.bKey, []Peer{c.a}, handshake.Epoch(time.Now()),
			new(handshake.Memory), wire)
		if err != nil {
			t.Fatal(err)
		}
		ours.Write(reply)
	}
	conn := <-made
	go io.Copy(io.Discard, ours)
	return r, conn
}

// say sends one record with these frames.
func (r raw) say(t *testing.T, frames ...record.Frame) {
	plain := make([]byte, 0, record.Size)
	for _, f := range frames {
		plain = record.Append(plain, f.Kind, f.Body...)
	}
	sealed, err := r.s.Send.Seal(plain)
	if err != nil {
		t.Fatal(err)
	}
	r.c.Write(sealed)
}

func TestBrokenRulesEndTheSession(t *testing.T) {
	long := func(k record.Kind, n int) record.Frame {
		return record.Frame{Kind: k, Body: make([]byte, n)}
	}
	for name, c := range map[string]struct {
		dials  bool
		frames []record.Frame
		want   error
	}{
		"too long a datagram":      {true, []record.Frame{long(record.Datagram, MaxDatagram+1)}, ErrRules},
		"unknown frame":            {true, []record.Frame{long(99, 1)}, ErrRules},
		"stream never opened":      {true, []record.Frame{long(record.Data, 9)}, ErrRules},
		"answer nobody asked for":  {false, []record.Frame{long(record.Renew, 100)}, ErrRules},
		"empty piece of a renewal": {true, []record.Frame{long(record.Renew, 0)}, ErrRules},
		"switch without renewal":   {true, []record.Frame{{Kind: record.Switch}}, ErrRules},
		"switch that has a body":   {true, []record.Frame{long(record.Switch, 1)}, ErrRules},
		"forged renewal": {true, []record.Frame{long(record.Renew, 400), long(record.Renew, 76)},
			nil}, // not whole yet
		"farewell": {true, []record.Frame{{Kind: record.Bye}}, ErrEnded},
		"padding":  {true, nil, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, conn := newRaw(t, c.dials)
			r.say(t, c.frames...)
			synctest.Wait()
			if err := conn.Err(); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Error(name, "gave", err)
			}
			conn.Close()
			r.c.Close()
		})
	}
}

func TestForgedRenewalEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, conn := newRaw(t, true)
		for range 4 {
			r.say(t, record.Frame{Kind: record.Renew, Body: make([]byte, handshake.RenewSize/4)})
		}
		<-conn.Done()
		if !errors.Is(conn.Err(), ErrForged) {
			t.Error(conn.Err())
		}
		conn.Close()
		r.c.Close()
	})
}

func TestForgedRecordEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, conn := newRaw(t, true)
		r.c.Write(make([]byte, RecordSize))
		<-conn.Done()
		if !errors.Is(conn.Err(), ErrForged) {
			t.Error(conn.Err())
		}
		conn.Close()
		r.c.Close()
	})
}

// A far side that trickles bytes, or talks without ever renewing, is not alive.
func TestTrickleIsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, conn := newRaw(t, true)
		start := time.Now()
		for conn.Err() == nil {
			r.c.Write([]byte{0})
			<-time.After(time.Second)
		}
		if !errors.Is(conn.Err(), ErrSilent) || time.Since(start) > silence+time.Second {
			t.Error(conn.Err(), time.Since(start))
		}
		conn.Close()
		r.c.Close()
	})
}

func TestSessionThatIsNeverRenewedEnds(t *testing.T) {
	for _, dials := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r, conn := newRaw(t, dials)
			start := time.Now()
			for conn.Err() == nil {
				r.say(t, record.Frame{Kind: record.Datagram, Body: []byte("use")})
				<-time.After(time.Second)
			}
			took := time.Since(start)
			if !errors.Is(conn.Err(), ErrStale) || took > renewAfter+renewWithin+2*time.Second {
				t.Error(conn.Err(), took)
			}
			conn.Close()
			r.c.Close()
		})
	}
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
