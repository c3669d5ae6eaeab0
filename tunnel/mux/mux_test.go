// The claims of streams, over a pump that carries records between two sides in memory.

package mux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel/record"
)

// newPair joins two sides by goroutines that carry records both ways until the test ends.
func newPair(t *testing.T) (a, b *Mux) {
	wakeA, wakeB := make(chan struct{}, 1), make(chan struct{}, 1)
	a = New(true, nil, func() { token(wakeA) })
	b = New(false, nil, func() { token(wakeB) })
	done := make(chan struct{})
	carry := func(from, to *Mux, wake chan struct{}) {
		for {
			select {
			case <-done:
				return
			case <-wake:
			}
			for from.Pending() {
				if err := deliver(from.Fill(make([]byte, 0, record.Size)), to); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}
	go carry(a, b, wakeA)
	go carry(b, a, wakeB)
	t.Cleanup(func() {
		close(done)
		a.Close(net.ErrClosed)
		b.Close(net.ErrClosed)
	})
	return a, b
}

func token(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// deliver takes the frames of one record to a side.
func deliver(plain []byte, to *Mux) error {
	defer to.Flush()
	frames, err := record.Parse(nil, append(plain, make([]byte, record.Plain-len(plain))...))
	if err != nil {
		return err
	}
	for _, f := range frames {
		if err := to.Receive(f); err != nil {
			return err
		}
	}
	return nil
}

// open makes a stream and returns both of its ends.
func open(t *testing.T, a, b *Mux) (here, there *Stream) {
	t.Helper()
	here, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if there, err = b.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	return here, there
}

func TestStreamsKeepEveryByteInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		for _, size := range []int{0, 1, 471, 472, 10_000, 3_000_000} {
			here, there := open(t, a, b)
			sent := make([]byte, size)
			for i := range sent {
				sent[i] = byte(rand.Uint32())
			}
			go func() {
				for rest := sent; len(rest) > 0; {
					n := min(len(rest), 1+rand.IntN(100_000))
					here.Write(rest[:n])
					rest = rest[n:]
				}
				here.Close()
			}()
			got, err := io.ReadAll(there)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes: %d came, %v", size, len(got), err)
			}
			there.Close()
		}
		synctest.Wait()
		if len(a.streams)+len(b.streams)+a.mine.alive+b.theirs.alive != 0 {
			t.Error("finished streams were kept")
		}
	})
}

func TestUnreadStreamTakesNoMoreThanItsFirstWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		here, there := open(t, a, b)
		go here.Write(make([]byte, 10*lastWindow))
		synctest.Wait()
		if there.in.size != firstWindow {
			t.Error("unread bytes held:", there.in.size)
		}
		if here.out.size > sendBuffer || len(here.out.buf) > sendBuffer {
			t.Error("unsent bytes held:", here.out.size)
		}
	})
}

func TestWellReadStreamHasTheWholeWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		here, there := open(t, a, b)
		go func() {
			here.Write(make([]byte, 4<<20))
			here.Close()
		}()
		io.CopyN(io.Discard, there, 3<<20)
		synctest.Wait()
		if there.in.size > lastWindow || there.window != lastWindow {
			t.Error("window", there.window, "held", there.in.size)
		}
	})
}

func TestOneFullStreamDoesNotHoldUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		full, _ := open(t, a, b)
		go full.Write(make([]byte, 1<<20)) // nobody reads it
		synctest.Wait()
		here, there := open(t, a, b)
		here.Write([]byte("past it"))
		got := make([]byte, 7)
		if _, err := io.ReadFull(there, got); err != nil || string(got) != "past it" {
			t.Error(string(got), err)
		}
	})
}

func TestBulkAndMessageShareRecordsInTurn(t *testing.T) {
	m := New(true, nil, func() {})
	bulk, _ := m.Open(t.Context())
	message, _ := m.Open(t.Context())
	bulk.Write(make([]byte, sendBuffer))
	message.Write([]byte("short"))
	for n := range 3 {
		plain := m.Fill(make([]byte, 0, record.Size))
		if bytes.Contains(plain, []byte("short")) {
			if n > 1 {
				t.Error("the message waited", n, "records")
			}
			return
		}
		if record.Left(plain) > idSize {
			t.Error("a record left with room in it")
		}
	}
	t.Error("the message waited for the bulk")
}

func TestReaderMayLeaveWriterIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		here, there := open(t, a, b)
		failed := make(chan error)
		go func() {
			_, err := here.Write(make([]byte, 1<<20))
			failed <- err
		}()
		synctest.Wait()
		there.Close()
		if err := <-failed; !errors.Is(err, ErrStopped) {
			t.Error("writer was told", err)
		}
		if n, err := here.Read(make([]byte, 1)); err != io.EOF {
			t.Error("reader was told", n, err)
		}
		here.Close()
		synctest.Wait()
		if len(a.streams)+len(b.streams) != 0 {
			t.Error("the stream was kept")
		}
	})
}

func TestHalfCloseLeavesTheOtherHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		here, there := open(t, a, b)
		here.Write([]byte("question"))
		here.CloseWrite()
		if got, err := io.ReadAll(there); string(got) != "question" || err != nil {
			t.Error(string(got), err)
		}
		if _, err := here.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Error("wrote after CloseWrite:", err)
		}
		there.Write([]byte("reply"))
		there.Close()
		if got, err := io.ReadAll(here); string(got) != "reply" || err != nil {
			t.Error(string(got), err)
		}
		if err := here.Close(); err != nil {
			t.Error(err)
		}
		if err := here.Close(); !errors.Is(err, net.ErrClosed) {
			t.Error("closed twice:", err)
		}
	})
}

func TestDeadlinesEndWaitingAndCanBeLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		here, there := open(t, a, b)
		start := time.Now()
		here.SetReadDeadline(start.Add(time.Minute))
		if _, err := here.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		if time.Since(start) != time.Minute {
			t.Error("waited", time.Since(start))
		}
		here.SetDeadline(time.Time{})
		there.Write([]byte{1})
		if _, err := here.Read(make([]byte, 1)); err != nil {
			t.Error("after the deadline was lifted:", err)
		}
		here.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := here.Write(make([]byte, 1<<20))
		// A writer is woken when half its buffer is free: it may end with less than a full one.
		least, most := firstWindow+sendBuffer/2, firstWindow+sendBuffer
		if !errors.Is(err, os.ErrDeadlineExceeded) || n < least || n > most {
			t.Error("wrote", n, err)
		}
		here.SetReadDeadline(time.Now().Add(-1))
		if _, err := here.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a passed deadline:", err)
		}
	})
}

func TestOpenWaitsForRoomUntilContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		var last *Stream
		for range MaxStreams {
			last, _ = open(t, a, b)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := a.Open(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("opened one too many:", err)
		}
		last.Close()
		synctest.Wait()
		for s := range b.streams {
			b.streams[s].Close()
			break
		}
		b.mu.Lock()
		there := b.streams[last.id]
		b.mu.Unlock()
		if there != nil {
			there.Close()
		}
		if _, err := a.Open(t.Context()); err != nil {
			t.Error("no room after one has gone:", err)
		}
	})
}

func TestCloseEndsAllWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		here, there := open(t, a, b)
		there.Write([]byte("last"))
		synctest.Wait()
		gone := errors.New("gone")
		ends := make(chan error)
		go func() { _, err := a.Accept(context.Background()); ends <- err }()
		go func() { _, err := there.Read(make([]byte, 1)); ends <- err }()
		go func() { _, err := there.Write(make([]byte, 1<<20)); ends <- err }()
		synctest.Wait()
		a.Close(gone)
		b.Close(gone)
		for range 3 {
			if err := <-ends; !errors.Is(err, gone) {
				t.Error(err)
			}
		}
		got := make([]byte, 4)
		if _, err := here.Read(got); string(got) != "last" || err != nil {
			t.Error("what had come was lost:", err)
		}
		if _, err := a.Open(t.Context()); !errors.Is(err, gone) {
			t.Error(err)
		}
	})
}

func TestStreamNamesNoPlace(t *testing.T) {
	s, _ := New(true, nil, func() {}).Open(t.Context())
	if s.LocalAddr().String() != "tunnel" || s.RemoteAddr().Network() != "tunnel" {
		t.Error(s.LocalAddr(), s.RemoteAddr())
	}
}
