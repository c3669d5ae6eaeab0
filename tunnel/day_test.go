// A whole day of a session, and what wears out in it.

package tunnel

import (
	"context"
	"io"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel/record"
)

// A day of use: a word both ways and something on a stream, every twenty seconds.
func TestSessionServesAWholeDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
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
		sessions, last := 0, [32]byte{}
		for start := time.Now(); time.Since(start) < 24*time.Hour; <-time.After(20 * time.Second) {
			for from, to := range map[*Conn]*Conn{a: b, b: a} {
				from.SendDatagram([]byte("word"))
				if _, err := to.ReceiveDatagram(t.Context()); err != nil {
					t.Fatal("after", time.Since(start), err)
				}
			}
			echo(t, a, 2000)
			if now := sessionOf(a); now != last {
				sessions, last = sessions+1, now
			}
		}
		// Every two minutes, or up to twenty seconds later because nothing is said before.
		if sessions < 24*60*60/141 || sessions > 24*60*60/120+1 {
			t.Error("sessions in a day:", sessions)
		}
		a.Close()
		b.Close()
	})
}

// age makes a lane one that has sealed or opened n records.
func age(l *record.Lane, n uint64) {
	count := reflect.ValueOf(l).Elem().FieldByName("count")
	*(*uint64)(count.Addr().UnsafePointer()) = n
}

func TestWornKeysAreRenewedThoughNobodySpeaks(t *testing.T) {
	for worn, renewed := range map[uint64]bool{1 << 31: true, 1<<31 - 1000: false} {
		for _, fromDialler := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				a, b := newPair(t)
				a.SetShape(Clock(time.Second))
				b.SetShape(Clock(time.Second))
				<-time.After(renewAfter + time.Second/2)
				sender, receiver := a, b
				if !fromDialler {
					sender, receiver = b, a
				}
				old := sessionOf(a)
				synctest.Wait()
				age(sender.keys.session.Send, worn)
				age(receiver.keys.session.Receive, worn)
				sender.SetShape(Clock(time.Second)) // tells its goroutine what the test did
				synctest.Wait()
				<-time.After(time.Minute)
				if (sessionOf(a) != old) != renewed {
					t.Error("after", worn, "records renewed:", !renewed)
				}
				if a.Err() != nil || b.Err() != nil || sessionOf(a) != sessionOf(b) {
					t.Error(a.Err(), b.Err())
				}
				a.Close()
				b.Close()
			})
		}
	}
}

// Whoever never renews comes to the key's end, and the session ends with it.
func TestKeyIsNeverUsedPastItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, conn := newRaw(t, true)
		age(conn.keys.session.Send, 1<<32-1)
		age(r.s.Receive, 1<<32-1)
		conn.SendDatagram([]byte("the last"))
		synctest.Wait()
		if conn.Err() != nil {
			t.Error("ended too soon:", conn.Err())
		}
		conn.SendDatagram([]byte("one too many"))
		<-conn.Done()
		if sessionError(record.ErrWorn) != conn.Err() {
			t.Error(conn.Err())
		}
		conn.Close()
		r.c.Close()
	})
}
