// The claims of this package: few sizes, random-looking throughout, nothing twice, cheap.

package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

func testKeys() (k Keys) {
	for i := range k.Body {
		k.Body[i], k.Mask[i] = byte(i), byte(100+i)
	}
	return k
}

func newPair(t testing.TB) (*Sealer, *Opener) {
	s, err := NewSealer(testKeys())
	if err != nil {
		t.Fatal(err)
	}
	o, err := NewOpener(testKeys())
	if err != nil {
		t.Fatal(err)
	}
	return s, o
}

const testID = 0x0123456789abcdef

// seal is one packet of the least size that holds body.
func seal(t testing.TB, s *Sealer, k Kind, body []byte) []byte {
	wire := make([]byte, Fit(len(body)))
	if err := s.Seal(wire, testID, k, body); err != nil {
		t.Fatal(err)
	}
	return wire
}

func TestEveryLengthHasOneOfFiveSizes(t *testing.T) {
	s, o := newPair(t)
	for n := 0; n <= MaxBody; n++ {
		body := bytes.Repeat([]byte{0xff}, n)
		wire := seal(t, s, Datagram, body)
		if !Sized(len(wire)) || len(wire) < n+Overhead {
			t.Fatal(n, "bytes became", len(wire))
		}
		if ID(wire) != testID {
			t.Fatal("id is not where it belongs")
		}
		k, got, newest, err := o.Open(wire)
		if err != nil || k != Datagram || !newest || !bytes.Equal(got, body) {
			t.Fatal(n, k, len(got), newest, err)
		}
	}
	if Fit(MaxBody+1) != 0 {
		t.Error("a body longer than any packet fits")
	}
}

// An unmasked number, as a naive variant has it, shows which packets belong together and how many
// there were.
func TestNumbersOfPacketsLookRandom(t *testing.T) {
	s, _ := newPair(t)
	var wires, naive []uint64
	for range 4096 {
		wire := seal(t, s, Datagram, make([]byte, 200))
		masked := binary.BigEndian.Uint64(wire[IDSize:])
		wires = append(wires, masked)
		naive = append(naive, masked^s.hide(wire))
	}
	if !evenBits(wires) {
		t.Error("numbers have a pattern")
	}
	if evenBits(naive) {
		t.Error("the test would not notice a pattern")
	}
}

// evenBits reports whether each bit is set about half of the time.
func evenBits(all []uint64) bool {
	for bit := range 64 {
		set := 0
		for _, v := range all {
			set += int(v >> bit & 1)
		}
		if d := set - len(all)/2; d < -len(all)/10 || d > len(all)/10 {
			return false
		}
	}
	return true
}

func TestForgedPacketsAreRefused(t *testing.T) {
	s, o := newPair(t)
	for at := IDSize; at < 256; at++ {
		wire := seal(t, s, Datagram, []byte("x"))
		wire[at] ^= 1
		if _, _, _, err := o.Open(wire); !errors.Is(err, ErrForged) {
			t.Fatal("byte", at, "may be changed")
		}
	}
	wire := seal(t, s, Datagram, []byte("x"))
	for _, n := range []int{0, IDSize, Overhead, 255} {
		if _, _, _, err := o.Open(slices.Clone(wire[:n])); !errors.Is(err, ErrForged) {
			t.Error(n, "bytes were opened")
		}
	}
	if _, _, newest, err := o.Open(wire); err != nil || !newest {
		t.Error("forgeries spoilt the opener:", err)
	}
}

func TestPacketsOpenOnceInAnyOrder(t *testing.T) {
	s, o := newPair(t)
	var wires [][]byte
	for range 2 * reach {
		wires = append(wires, seal(t, s, Datagram, nil))
	}
	open := func(n int) error {
		_, _, _, err := o.Open(slices.Clone(wires[n]))
		return err
	}
	for _, n := range rand.New(rand.NewPCG(1, 1)).Perm(reach) {
		if err := open(n); err != nil {
			t.Fatal(n, err)
		}
	}
	for n := range reach {
		if open(n) == nil {
			t.Fatal(n, "was opened twice")
		}
	}
	if open(2*reach-1) != nil || open(reach-1) == nil {
		t.Error("the newest is refused, or one beyond reach taken")
	}
	if open(reach) != nil {
		t.Error("the oldest within reach is refused")
	}
}

// A window that is asked before a packet has opened lets forgeries make genuine packets old.
func TestWindowSlidesForGenuinePacketsOnly(t *testing.T) {
	s, o := newPair(t)
	first := seal(t, s, Datagram, nil)
	s.count = reach * 3
	forged := seal(t, s, Datagram, nil)
	forged[Overhead] ^= 1
	naive := window{}
	naive.admit(reach * 3)
	if fresh, _ := naive.admit(0); fresh {
		t.Error("the attack does not work on the naive variant")
	}
	o.Open(forged)
	if _, _, _, err := o.Open(first); err != nil {
		t.Error("a forgery made a genuine packet old")
	}
}

func TestWindowAgreesWithAnExactMemory(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	var w window
	seen, next := map[uint64]bool{}, uint64(0)
	for range 200_000 {
		var n uint64
		switch dice.IntN(20) {
		case 0:
			n = next + dice.Uint64N(3*reach)
		case 1:
			n = dice.Uint64N(next + 1)
		default:
			n = max(next+dice.Uint64N(100), 60) - 60
		}
		fresh, newest := w.admit(n)
		want := n >= next || next-n <= reach && !seen[n]
		if fresh != want || newest != (n >= next) {
			t.Fatal(n, next, fresh, newest)
		}
		if fresh {
			seen[n] = true
		}
		next = max(next, n+1)
	}
}

func TestWornKeysSealNoMore(t *testing.T) {
	s, o := newPair(t)
	s.count = wear - 1
	wire := seal(t, s, Datagram, nil)
	if _, _, _, err := o.Open(wire); err != nil {
		t.Error(err)
	}
	if err := s.Seal(wire, 0, Datagram, nil); !errors.Is(err, ErrWorn) {
		t.Error("sealed past the end:", err)
	}
}

func TestPacketsAllocateNothing(t *testing.T) {
	s, o := newPair(t)
	wire, body := make([]byte, 1232), make([]byte, 1200)
	if n := testing.AllocsPerRun(1000, func() {
		s.Seal(wire, testID, Stream, body)
		if _, _, _, err := o.Open(wire); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Error(n, "allocations a packet")
	}
}

func TestPaddingCarriesNoOldBytes(t *testing.T) {
	s, o := newPair(t)
	wire := bytes.Repeat([]byte{0xee}, 512)
	s.Seal(wire, testID, Datagram, []byte("short"))
	o.Open(wire)
	if !bytes.Equal(wire[headerSize+5:512-tagSize], make([]byte, 512-Overhead-5)) {
		t.Error("padding is not zeros")
	}
}

func FuzzOpen(f *testing.F) {
	s, _ := newPair(f)
	f.Add(seal(f, s, Datagram, []byte("hello")))
	f.Add(make([]byte, 256))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, wire []byte) {
		s, o := newPair(t)
		was := slices.Clone(wire)
		k, body, _, err := o.Open(wire)
		if err != nil {
			return
		}
		number := decode(binary.BigEndian.Uint64(o.nonce[4:]))
		s.count = number.Count
		again := make([]byte, len(was))
		if s.Seal(again, ID(was), k, body); !bytes.Equal(again, was) {
			t.Error("a packet that opens seals to another one")
		}
	})
}

func FuzzNumber(f *testing.F) {
	f.Add(uint64(0))
	f.Add(^uint64(0))
	f.Fuzz(func(t *testing.T, v uint64) {
		if n := decode(v); n.encode() != v || n.Count >= 1<<48 || n.Length >= 1<<11 {
			t.Error(v, n)
		}
	})
}

func frames() []Frame {
	return []Frame{
		{Type: Chunk, Channel: 1, Sequence: 7, Last: true, Body: []byte("piece")},
		{Type: Chunk, Body: bytes.Repeat([]byte{1}, MaxChunk)},
		{Type: Ack, Channel: 1, Sequence: 9, Beyond: 1 << 63},
		{Type: Challenge, Token: 1},
		{Type: Response, Token: ^uint64(0)},
		{Type: Data, Body: []byte("datagram")},
		{Type: Bye},
	}
}

func TestFramesComeBackAsTheyWere(t *testing.T) {
	var b []byte
	for _, f := range frames() {
		before := len(b)
		if b = f.Append(b); len(b)-before != f.Size() {
			t.Error(f.Type, "is not as long as it says")
		}
	}
	for _, want := range frames() {
		got, rest, ok := Next(b)
		if !ok || got.Type != want.Type || !bytes.Equal(got.Append(nil), want.Append(nil)) {
			t.Fatal(want.Type, "came back as", got.Type)
		}
		b = rest
	}
}

func FuzzNext(f *testing.F) {
	for _, fr := range frames() {
		f.Add(fr.Append(nil))
	}
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			fr, rest, ok := Next(b)
			if !ok {
				return
			}
			if n := len(b) - len(rest); n != fr.Size() || !bytes.Equal(fr.Append(nil), b[:n]) {
				t.Fatal("a frame does not encode to what it was parsed from")
			}
			b = rest
		}
	})
}
