// What a far side that keeps no rules brings about: the end of the session, and nothing else.

package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel/handshake"
	"nightjar/tunnel/record"
)

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
		"too long a datagram": {true, []record.Frame{long(record.Datagram, MaxDatagram+1)},
			ErrRules},
		"unknown frame":            {true, []record.Frame{long(99, 1)}, ErrRules},
		"stream never opened":      {true, []record.Frame{long(record.Data, 9)}, ErrRules},
		"answer nobody asked for":  {false, []record.Frame{long(record.Renew, 100)}, ErrRules},
		"empty piece of a renewal": {true, []record.Frame{long(record.Renew, 0)}, ErrRules},
		"switch without renewal":   {true, []record.Frame{{Kind: record.Switch}}, ErrRules},
		"switch that has a body":   {true, []record.Frame{long(record.Switch, 1)}, ErrRules},
		"renewal too soon":         {true, []record.Frame{long(record.Renew, 400)}, ErrRules},
		"farewell":                 {true, []record.Frame{{Kind: record.Bye}}, ErrEnded},
		"padding":                  {true, nil, nil},
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
		for since := time.Now(); time.Since(since) < renewPause; <-time.After(time.Second) {
			r.say(t)
		}
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
