// Claims about one call, made on a pair of sessions joined in memory under fake time.
package call

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/talk"
)

// newPair joins a caller and a callee: what one says the other handles, in order.
func newPair(t *testing.T) (a, b *Session) {
	t.Helper()
	toA, toB := make(chan talk.Record, 64), make(chan talk.Record, 64)
	put := func(ch chan talk.Record) func(talk.Record) error {
		return func(r talk.Record) error { ch <- r; return nil }
	}
	offer := []talk.Codec{talk.Opus, talk.PCMU}
	a = New(talk.ID{1}, "callee", true, offer, put(toB))
	b = New(talk.ID{1}, "caller", false, offer, put(toA))
	pump := func(ch chan talk.Record, s *Session) {
		for r := range ch {
			s.Handle(r)
		}
	}
	go pump(toA, a)
	go pump(toB, b)
	t.Cleanup(func() { close(toA); close(toB) })
	return a, b
}

// memLane is a lane without a tunnel: datagrams cross at the ticks of a clock, and may be lost.
type memLane struct {
	out, in chan []byte
	done    chan struct{}
	lose    func(n int) bool
	sent    int
}

func (l *memLane) SetClock(time.Duration) {}
func (l *memLane) Done() <-chan struct{}  { return l.done }
func (l *memLane) SendDatagram(b []byte) error {
	l.sent++
	if l.lose == nil || !l.lose(l.sent) {
		l.out <- b
	}
	return nil
}
func (l *memLane) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	select {
	case b := <-l.in:
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.done:
		return nil, io.EOF
	}
}

func newLanes() (a, b *memLane) {
	x, y := make(chan []byte, 256), make(chan []byte, 256)
	done := make(chan struct{})
	return &memLane{out: x, in: y, done: done}, &memLane{out: y, in: x, done: done}
}

func answerCall(t *testing.T, a, b *Session, codec talk.Codec) {
	t.Helper()
	if err := b.Ring(); err != nil {
		t.Fatal(err)
	}
	if err := b.Answer(codec); err != nil {
		t.Fatal(err)
	}
	if e := <-a.Events(); e.Kind != talk.Ringing {
		t.Fatalf("caller heard %v, not ringing", e.Kind)
	}
	if e := <-a.Events(); e.Kind != talk.Answered || e.Codec != codec {
		t.Fatalf("caller heard %v, not the answer", e.Kind)
	}
}

func TestEveryFrameArrivesOnceThoughEveryThirdDatagramIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		answerCall(t, a, b, talk.Opus)
		la, lb := newLanes()
		la.lose = func(n int) bool { return n%3 == 0 }
		go func() { _ = a.Carry(t.Context(), la) }()
		go func() { _ = b.Carry(t.Context(), lb) }()
		const n = 100
		got := map[uint16]int{}
		go func() {
			for i := range n {
				<-time.After(20 * time.Millisecond)
				_ = a.Send(talk.Frame{Seq: uint16(65500 + i), Payload: make([]byte, 60)})
			}
			<-time.After(time.Second)
			_ = a.End(talk.Hangup)
		}()
		for f := range b.Frames() {
			got[f.Seq]++
		}
		if len(got) < n-4 {
			t.Errorf("%d of %d frames arrived", len(got), n)
		}
		for seq, times := range got {
			if times != 1 {
				t.Errorf("frame %d came %d times", seq, times)
			}
		}
		synctest.Wait()
	})
}

func TestCallCanBeHeldDialedIntoAndEndedByEitherSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		answerCall(t, a, b, talk.PCMU)
		_ = a.Hold(true)
		_ = a.DTMF('5')
		if e := <-b.Events(); e.Kind != talk.Held || !e.On {
			t.Error("hold did not arrive")
		}
		if e := <-b.Events(); e.Kind != talk.Dialed || e.Digit != '5' {
			t.Error("key press did not arrive")
		}
		_ = b.End(talk.Hangup)
		if e := <-a.Events(); e.Kind != talk.Ended || e.Reason != talk.Hangup {
			t.Error("end did not arrive")
		}
		if _, open := <-a.Events(); open {
			t.Error("events go on after the end")
		}
		if err := a.Hold(false); !errors.Is(err, ErrEnded) {
			t.Errorf("hold after the end: %v", err)
		}
	})
}

func TestAnswerOutOfTurnChangesNothing(t *testing.T) {
	a := New(talk.ID{1}, "x", true, []talk.Codec{talk.PCMU},
		func(talk.Record) error { return nil })
	if err := a.Answer(talk.PCMU); !errors.Is(err, ErrTurn) {
		t.Errorf("a caller answered its own call: %v", err)
	}
	a.Handle(talk.Record{Kind: talk.KindHold, On: true})
	if len(a.Events()) != 0 {
		t.Error("hold before the answer was believed")
	}
	a.Handle(talk.Record{Kind: talk.KindAnswer, Codec: talk.Opus})
	if e := <-a.Events(); e.Kind != talk.Ended || e.Reason != talk.Failed {
		t.Error("an answer with a codec nobody offered was accepted")
	}
}

func TestPhoneThatDoesNotListenLosesTheCall(t *testing.T) {
	s := New(talk.ID{1}, "x", false, []talk.Codec{talk.PCMU},
		func(talk.Record) error { return nil })
	if err := s.Answer(talk.PCMU); err != nil {
		t.Fatal(err)
	}
	for range eventRoom + 1 {
		s.Handle(talk.Record{Kind: talk.KindDTMF, Digit: '1'})
	}
	select {
	case <-s.Done():
	default:
		t.Error("the call goes on unheard")
	}
}

func TestCallHasOneLaneTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		answerCall(t, a, b, talk.PCMU)
		first, _ := newLanes()
		second, _ := newLanes()
		ended := make(chan error, 2)
		go func() { ended <- a.Carry(t.Context(), first) }()
		synctest.Wait()
		go func() { ended <- a.Carry(t.Context(), second) }()
		synctest.Wait()
		if len(ended) != 1 || <-ended == nil {
			t.Error("the old lane goes on, or looks like the end of the call")
		}
		_ = a.End(talk.Hangup)
		if err := <-ended; err != nil {
			t.Errorf("the end of the call: %v", err)
		}
	})
}

func TestOldestAudioIsDroppedWhenTheRoadIsSlow(t *testing.T) {
	var o outbound
	for i := range waiting + 3 {
		o.push(talk.Frame{Seq: uint16(i), Payload: make([]byte, talk.MaxPayload)})
	}
	frames, err := talk.ParseMedia(o.pack())
	if err != nil || frames[0].Seq != 3 {
		t.Fatalf("first to leave is %v, err %v", frames, err)
	}
}
