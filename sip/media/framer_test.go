// Claims about cutting a phone's packets into frames.

package media

import (
	"bytes"
	"testing"

	"nightjar/node/talk"
)

// sound is n bytes that count up, so that a misplaced byte shows.
func sound(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(from + i)
	}
	return b
}

func TestAnyPacketLengthBecomesFramesOf20ms(t *testing.T) {
	for _, size := range []int{80, 160, 240, 320, 480} {
		var f framer
		f.use(talk.PCMU)
		var got []byte
		var seq uint16
		for at := 0; at < 4800; at += size {
			for _, fr := range f.push(uint32(1000+at), sound(at, size)) {
				if fr.Seq != seq || len(fr.Payload) != frameBytes {
					t.Fatalf("size %d: frame %d of %d bytes", size, fr.Seq, len(fr.Payload))
				}
				seq++
				got = append(got, fr.Payload...)
			}
		}
		if !bytes.Equal(got, sound(0, 4800)) {
			t.Errorf("size %d: the sound changed", size)
		}
	}
}

func TestPauseKeepsItsLength(t *testing.T) {
	var f framer
	f.use(talk.PCMA)
	f.push(5000, sound(0, 160))
	got := f.push(5000+160*51, sound(0, 160)) // 50 frames were not sent
	if len(got) != 1 || got[0].Seq != 51 {
		t.Fatalf("got %v", got)
	}
	far := uint32(5000 + 160*52 + 8000*3600) // an hour: a new start, not an hour of silence
	if got = f.push(far, sound(0, 160)); len(got) != 1 || got[0].Seq != 52 {
		t.Fatalf("after a jump: %v", got)
	}
}

func TestTimestampWrapIsNoPause(t *testing.T) {
	var f framer
	f.use(talk.PCMU)
	f.push(0xFFFFFFFF-79, sound(0, 160))
	if got := f.push(80, sound(0, 160)); len(got) != 1 || got[0].Seq != 1 {
		t.Fatalf("got %v", got)
	}
}

func TestPacketOfThePastIsDropped(t *testing.T) {
	var f framer
	f.use(talk.PCMU)
	f.push(1000, sound(0, 160))
	f.push(1160, sound(0, 160))
	if got := f.push(1000, sound(0, 160)); got != nil || f.dropped != 1 {
		t.Fatalf("got %v, dropped %d", got, f.dropped)
	}
}

func TestOpusOutOfShapeIsDroppedAndCounted(t *testing.T) {
	var f framer
	f.use(talk.Opus)
	cases := map[string][]byte{
		"empty":         {},
		"too big":       append([]byte{0xF8}, make([]byte, 160)...),
		"60 ms":         {3 << 3, 1},
		"10 ms":         {2<<5 | 2<<3, 1},
		"two of 20 ms":  {0xF8 | 1, 1, 1},
		"three, 2.5 ms": {0x80 | 3, 3, 1},
		"count missing": {0xF8 | 3},
	}
	for name, p := range cases {
		before := f.dropped
		if got := f.push(0, p); got != nil || f.dropped != before+1 {
			t.Errorf("%s: got %v", name, got)
		}
	}
	for name, p := range map[string][]byte{
		"one of 20 ms": append([]byte{0xF8}, make([]byte, 159)...),
		"two of 10 ms": {0xF0 | 1, 1, 1}, "silk": {1 << 3, 1}, "hybrid": {13 << 3, 1},
	} {
		var f framer
		f.use(talk.Opus)
		if got := f.push(0, p); len(got) != 1 {
			t.Errorf("%s was dropped", name)
		}
	}
}

func TestSilenceIsAFrameOfItsCodec(t *testing.T) {
	for _, c := range talk.Codecs() {
		if !fits(c, silence(c)) {
			t.Errorf("%v: silence is no frame", c)
		}
	}
}

func FuzzFramer(f *testing.F) {
	f.Add(byte(3), uint32(0), []byte("abc"), uint32(160), []byte("defg"))
	f.Fuzz(func(t *testing.T, codec byte, ts1 uint32, p1 []byte, ts2 uint32, p2 []byte) {
		var fr framer
		fr.use(talk.Codec(codec%4 + 1))
		for _, out := range [][]talk.Frame{fr.push(ts1, p1), fr.push(ts2, p2)} {
			for _, frame := range out {
				if !fits(fr.codec, frame.Payload) {
					t.Fatalf("%d bytes are no frame", len(frame.Payload))
				}
			}
		}
		if len(fr.rest) >= frameBytes {
			t.Fatalf("%d bytes were kept back", len(fr.rest))
		}
	})
}
