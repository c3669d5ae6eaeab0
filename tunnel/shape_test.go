// What somebody on the way sees of a session: records of one size, random-looking, and by the
// clock nothing else; and what a slow way does to those who share it.

package tunnel

import (
	"bytes"
	"compress/flate"
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A sight is one write as an observer of the carrier sees it.
type sight struct {
	at   time.Duration
	size int
}

// A watch is a carrier on which an observer sits.
type watch struct {
	net.Conn
	from time.Time
	seen []sight
}

func (c *watch) Write(b []byte) (int, error) {
	if !c.from.IsZero() {
		c.seen = append(c.seen, sight{time.Since(c.from), len(b)})
	}
	return c.Conn.Write(b)
}

const (
	frameTime = 60 * time.Millisecond
	callTime  = 3 * time.Minute // long enough for keys to be renewed
)

// observe runs a session for callTime and returns what was seen of both sides.
func observe(t *testing.T, toA, toB Shape, say func(a, b *Conn)) (fromA, fromB []sight) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		wa, wb := &watch{Conn: ca}, &watch{Conn: cb}
		a, b := newContacts(t).connect(t, wa, wb)
		synctest.Wait()
		wa.from, wb.from = time.Now(), time.Now()
		a.SetShape(toA)
		b.SetShape(toB)
		synctest.Wait()
		before := a.keys.session
		go say(a, b)
		<-time.After(callTime + frameTime/2)
		synctest.Wait()
		if say := len(a.out.slots) > 0; say && toA.waits() && a.keys.session == before {
			t.Error("keys were not renewed: the test sees less than it says")
		}
		fromA, fromB = slices.Clone(wa.seen), slices.Clone(wb.seen)
		a.Close()
		b.Close()
	})
	return fromA, fromB
}

// talk is voice both ways, a bulk transfer, and small messages.
func talk(a, b *Conn) {
	voice := func(c *Conn) {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-c.Done():
				return
			case <-tick.C:
				c.SendDatagram(make([]byte, 130))
			}
		}
	}
	go voice(a)
	go voice(b)
	go func() {
		for {
			s, err := b.AcceptStream(context.Background())
			if err != nil {
				return
			}
			go io.Copy(s, s)
		}
	}()
	bulk, err := a.OpenStream(context.Background())
	if err != nil {
		return
	}
	go io.Copy(io.Discard, bulk)
	bulk.Write(make([]byte, 10<<20))
}

func silent(a, b *Conn) {}

func TestSilenceLooksLikeTalk(t *testing.T) {
	clock := Clock(frameTime)
	talkA, talkB := observe(t, clock, clock, talk)
	silenceA, silenceB := observe(t, clock, clock, silent)
	if !slices.Equal(talkA, silenceA) || !slices.Equal(talkB, silenceB) {
		t.Error("an observer can tell talk from silence")
	}
	if want := int(callTime / frameTime); len(talkA) != want || len(talkB) != want {
		t.Error("records seen:", len(talkA), len(talkB), "want", want)
	}
	for i, s := range talkA {
		if s.size != RecordSize || s.at != time.Duration(i+1)*frameTime {
			t.Fatal("record", i, "left at", s.at, "with", s.size, "bytes")
		}
	}
	// Without a clock the same talk and silence are plain to see.
	talkA, _ = observe(t, Shape{}, Shape{}, talk)
	silenceA, _ = observe(t, Shape{}, Shape{}, silent)
	if len(talkA) < 10*len(silenceA) {
		t.Error("the test would not notice talk")
	}
}

func TestClockCanBeSetAndLiftedAtWill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		w := &watch{Conn: ca}
		a, b := newContacts(t).connect(t, w, cb)
		defer b.Close()
		defer a.Close()
		synctest.Wait()
		w.from = time.Now()
		for range 100 {
			a.SetClock(time.Millisecond)
			a.SetClock(time.Hour) // counts as ten seconds
		}
		a.SendDatagram([]byte("waits for the tick"))
		start := time.Now()
		_, err := b.ReceiveDatagram(t.Context())
		if took := time.Since(start); err != nil || took != slowest {
			t.Error(err, took)
		}
		a.SendDatagram([]byte("waits until the clock is lifted"))
		synctest.Wait()
		start = time.Now()
		a.SetClock(-1)
		if _, err := b.ReceiveDatagram(t.Context()); err != nil || time.Since(start) != 0 {
			t.Error(err, time.Since(start))
		}
	})
}

func TestEveryRecordHasOneSizeAndLooksRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		ta, tb := &tap{Conn: ca}, &tap{Conn: cb}
		a, b := newContacts(t).connect(t, ta, tb)
		talkFor(t, a, b)
		a.Close()
		b.Close()
		for _, c := range []*tap{ta, tb} {
			for _, n := range c.sizes {
				if n%RecordSize != 0 {
					t.Fatal("a write of", n, "bytes")
				}
			}
			if !looksRandom(c.bytes()) {
				t.Error("what crosses has a pattern")
			}
		}
		// The same frames without sealing have one.
		if looksRandom(bytes.Repeat([]byte{1, 0, 100, 'a'}, len(ta.bytes())/4)) {
			t.Error("the test would not notice a pattern")
		}
	})
}

// talkFor says the same thing many times, by datagrams and by a stream.
func talkFor(t *testing.T, a, b *Conn) {
	go func() {
		s, err := b.AcceptStream(context.Background())
		if err == nil {
			io.Copy(s, s)
		}
	}()
	s, err := a.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		a.SendDatagram(bytes.Repeat([]byte("a"), 300))
		s.Write(bytes.Repeat([]byte("b"), 100))
		if _, err := io.ReadFull(s, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
}

func looksRandom(b []byte) bool {
	var count [256]float64
	for _, c := range b {
		count[c]++
	}
	want, chi := float64(len(b))/256, 0.0
	for _, n := range count {
		chi += (n - want) * (n - want) / want
	}
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	w.Write(b)
	w.Close()
	return chi < 255+6*22.6 && out.Len() >= len(b)
}

// A narrow carrier takes rate bytes a second.
type narrow struct {
	net.Conn
	rate int
}

func (c *narrow) Write(b []byte) (int, error) {
	<-time.After(time.Duration(len(b)) * time.Second / time.Duration(c.rate))
	return c.Conn.Write(b)
}

const narrowRate = 50_000

// overNarrow makes a session from whose dialler only narrowRate bytes a second leave, with a
// bulk transfer under way.
func overNarrow(t *testing.T) (a, b *Conn, bulk net.Conn) {
	ca, cb := net.Pipe()
	a, b = newContacts(t).connect(t, &narrow{ca, narrowRate}, cb)
	bulk, err := a.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go bulk.Write(make([]byte, 100<<20))
	return a, b, bulk
}

func TestBulkDoesNotHoldUpDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, bulk := overNarrow(t)
		far, err := b.AcceptStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, far)
		<-time.After(10 * time.Second) // the bulk is in full flow
		batchTime := smallBatch * RecordSize * time.Second / narrowRate
		for range 200 {
			<-time.After(61 * time.Millisecond)
			start := time.Now()
			a.SendDatagram(make([]byte, 400))
			if _, err := b.ReceiveDatagram(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 2*batchTime {
				t.Fatal("a datagram took", took)
			}
		}
		// Said on the bulk's own stream, the same word waits for all that was written before.
		bulk.SetWriteDeadline(time.Now())
		synctest.Wait()
		bulk.SetWriteDeadline(time.Time{})
		start := time.Now()
		bulk.Write([]byte("word"))
		bulk.(interface{ CloseWrite() error }).CloseWrite()
		for n := 1; n > 0; {
			<-time.After(time.Millisecond)
			synctest.Wait()
			n = 0
			if a.streams.Pending() {
				n = 1
			}
		}
		if time.Since(start) < 2*batchTime {
			t.Error("the test would not notice a datagram behind the bulk")
		}
		a.Close()
		b.Close()
	})
}

func TestDatagramsDoNotHoldUpStreamsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		a, b := newContacts(t).connect(t, &narrow{ca, narrowRate}, cb)
		go func() {
			for {
				select {
				case <-a.Done():
					return
				case <-time.After(time.Millisecond):
					a.SendDatagram(make([]byte, MaxDatagram))
				}
			}
		}()
		s, err := a.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s.Write(make([]byte, 4700))
		far, err := b.AcceptStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(far, make([]byte, 4700)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Error("ten records of a stream took", took)
		}
		a.Close()
		b.Close()
	})
}

func TestOldestDatagramIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		defer a.Close()
		defer b.Close()
		a.SetClock(time.Second)
		synctest.Wait()
		for n := range byte(200) {
			a.SendDatagram(append(make([]byte, 300), n))
		}
		for n := 200 - queued; n < 200; n++ {
			got, err := b.ReceiveDatagram(t.Context())
			if err != nil || int(got[300]) != n {
				t.Fatal("want", n, "got", got[300], err)
			}
		}
		a.SetClock(0)
		for n := range byte(200) { // nobody receives
			a.SendDatagram([]byte{n})
			synctest.Wait()
		}
		if got, err := b.ReceiveDatagram(t.Context()); err != nil || got[0] != 200-queued {
			t.Error("oldest kept:", got, err)
		}
	})
}

func TestBulkKeepsRecordsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		ta := &tap{Conn: ca}
		a, b := newContacts(t).connect(t, ta, cb)
		before := ta.count()
		const size = 1 << 20
		go func() {
			s, err := a.OpenStream(t.Context())
			if err == nil {
				for range size / 1024 {
					s.Write(make([]byte, 1024))
				}
				s.Close()
			}
		}()
		s, err := b.AcceptStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, s)
		if sent := ta.count() - before; sent > size*112/100 {
			t.Error("bytes on the carrier for each byte said:", float64(sent)/size)
		}
		a.Close()
		b.Close()
	})
}
