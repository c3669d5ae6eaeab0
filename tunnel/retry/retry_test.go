// The claims of this package: each message once and in order, whatever is lost, doubled or late,
// and no more than a bound waits anywhere.

package retry

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"nightjar/tunnel/packet"
)

// A flight is one chunk or acknowledgement on its way.
type flight struct {
	lands time.Time
	frame packet.Frame
	ack   bool
	next  uint32
	past  uint64
}

func TestEveryMessageArrivesOnceAndInOrder(t *testing.T) {
	for seed := range uint64(20) {
		dice := rand.New(rand.NewPCG(seed, 1))
		var s Sender
		var r Receiver
		var way []flight
		now, sent, got := time.Unix(1e9, 0), 0, 0
		fly := func(f flight) {
			for range 1 + dice.IntN(2) {
				if dice.Float64() > 0.3 {
					f.lands = now.Add(time.Duration(dice.IntN(300)) * time.Millisecond)
					way = append(way, f)
				}
			}
		}
		for step := 0; got < 200; step++ {
			if step > 200_000 {
				t.Fatal("stuck at message", got)
			}
			if sent < 200 && s.Push(bytes.Repeat([]byte{byte(sent)}, sent*13%MaxMessage)) {
				sent++
			}
			for f, ok := s.Due(now, 0, 1200); ok; f, ok = s.Due(now, 0, 1200) {
				fly(flight{frame: f})
			}
			now = now.Add(10 * time.Millisecond)
			was := way
			way = nil
			for _, f := range was {
				switch {
				case f.lands.After(now):
					way = append(way, f)
				case f.ack:
					s.Acked(f.next, f.past, now)
				default:
					if err := r.Take(f.frame); err != nil {
						t.Fatal(err)
					}
					next, past := r.State()
					fly(flight{ack: true, next: next, past: past})
				}
			}
			for m, ok := r.Pop(); ok; m, ok = r.Pop() {
				if len(m) != got*13%MaxMessage || len(m) > 0 && m[0] != byte(got) {
					t.Fatal("message", got, "came as another")
				}
				got++
			}
		}
	}
}

func TestNothingGrowsWithoutBound(t *testing.T) {
	var s Sender
	pushed := 0
	for s.Push(nil) {
		pushed++
	}
	if pushed != queued {
		t.Error(pushed, "messages wait to be sent")
	}
	var r Receiver
	for n := range uint32(10_000) {
		r.Take(packet.Frame{Type: packet.Chunk, Sequence: n, Last: true})
	}
	if len(r.ready) != readable || len(r.held) > Window {
		t.Error(len(r.ready), "messages and", len(r.held), "chunks wait to be read")
	}
	var far Receiver
	for n := range uint32(10_000) {
		far.Take(packet.Frame{Type: packet.Chunk, Sequence: n * 97, Body: make([]byte, 100)})
	}
	if len(far.held) > Window {
		t.Error(len(far.held), "chunks are held")
	}
}

func TestMessageWithoutEndIsRefused(t *testing.T) {
	var r Receiver
	for n := range uint32(100) {
		err := r.Take(packet.Frame{Type: packet.Chunk, Sequence: n,
			Body: make([]byte, packet.MaxChunk)})
		if errors.Is(err, ErrRules) {
			return
		}
	}
	t.Error("a message may be as long as it likes")
}

func TestWaitsGrowAndEnd(t *testing.T) {
	var s Sender
	s.Push([]byte("lost"))
	now, last := time.Unix(1e9, 0), time.Time{}
	var waits []time.Duration
	for end := now.Add(time.Minute); now.Before(end); now = now.Add(time.Millisecond) {
		if _, ok := s.Due(now, 0, 1200); ok {
			if !last.IsZero() {
				waits = append(waits, now.Sub(last))
			}
			last = now
		}
	}
	for i, w := range waits {
		if i > 0 && waits[i-1] < mostWait/2 && w < waits[i-1]*3/2 || w > mostWait*9/8 {
			t.Error("waits:", waits)
		}
	}
	if len(waits) < 8 || len(waits) > 20 {
		t.Error(len(waits), "tries a minute")
	}
}

func TestSenseFreeAcknowledgementsChangeNothing(t *testing.T) {
	var s Sender
	now := time.Unix(1e9, 0)
	s.Push([]byte("one"))
	s.Due(now, 0, 1200)
	for _, next := range []uint32{2, 64, 1 << 31, ^uint32(0)} {
		s.Acked(next, ^uint64(0), now)
	}
	if s.Empty() {
		t.Error("an acknowledgement of what was never sent was believed")
	}
	s.Acked(1, 0, now)
	if !s.Empty() {
		t.Error("a true acknowledgement was not")
	}
}

func TestChunkThatDoesNotFitWaits(t *testing.T) {
	var s Sender
	s.Push(make([]byte, 400))
	if _, ok := s.Due(time.Unix(1e9, 0), 0, 399); ok {
		t.Error("a chunk was cut")
	}
	if _, ok := s.Due(time.Unix(1e9, 0), 0, 480); !ok {
		t.Error("a chunk that fits was not due")
	}
}

// Law: whatever chunks and acknowledgements come, what is held stays within its bounds, and what
// is delivered is what the chunks say, each once and in order.
func FuzzFrames(f *testing.F) {
	whole := packet.Frame{Type: packet.Chunk, Last: true, Body: []byte("whole")}
	later := packet.Frame{Type: packet.Chunk, Sequence: 1, Body: make([]byte, packet.MaxChunk)}
	ack := packet.Frame{Type: packet.Ack, Sequence: 2, Beyond: 5}
	f.Add(whole.Append(later.Append(ack.Append(nil))))
	f.Add(later.Append(whole.Append(whole.Append(nil))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Sender
		var r Receiver
		now, said, heard := time.Unix(1, 0), 0, 0
		for s.Push([]byte("message")) {
		}
		for len(b) > 0 {
			fr, rest, ok := packet.Next(b)
			if !ok {
				return
			}
			switch b = rest; fr.Type {
			case packet.Chunk:
				before := r.next
				if r.Take(fr) != nil {
					return
				}
				said += int(r.next - before)
			case packet.Ack:
				s.Acked(fr.Sequence, fr.Beyond, now)
			}
			if len(r.held) > Window || len(r.partial) > MaxMessage ||
				r.size > unread+MaxMessage || len(s.row) > queued {
				t.Fatal("too much is held")
			}
		}
		for m, ok := r.Pop(); ok; m, ok = r.Pop() {
			if heard++; len(m) > MaxMessage {
				t.Fatal("a message of", len(m), "bytes")
			}
		}
		if r.size != 0 || heard > said+len(r.held)+Window {
			t.Fatal(heard, "messages of", said, "chunks;", r.size, "bytes are counted")
		}
	})
}
