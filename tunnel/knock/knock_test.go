// The claims of this package: pieces look like noise, find their one receiver, and cost a stranger
// more than they cost the receiver.

package knock

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"flag"
	"slices"
	"testing"
	"time"

	"nightjar/tunnel/handshake"
	"nightjar/tunnel/proof"
)

func testWay() Way {
	var w Way
	rand.Read(w.Root[:])
	w.Initiator, w.Responder, w.Epoch = [32]byte{1}, [32]byte{2}, 7
	return w
}

func testMessage() []byte {
	b := make([]byte, handshake.Size)
	rand.Read(b)
	return b
}

func TestPiecesMakeTheMessageAgain(t *testing.T) {
	w, message := testWay(), testMessage()
	pieces := [][]byte{w.First().Cut(message)[0], w.First().Cut(message)[1]}
	one, ok1 := w.First().Open(pieces[0])
	two, ok2 := w.First().Open(pieces[1])
	if !ok1 || !ok2 || one.Message != two.Message || one.Index == two.Index {
		t.Fatal("pieces do not open", ok1, ok2)
	}
	if !bytes.Equal(Join(two, one), message) || !bytes.Equal(Join(one, two), message) {
		t.Error("pieces make another message")
	}
	for _, p := range pieces {
		if len(p) != PieceSize {
			t.Error("a piece has", len(p), "bytes")
		}
	}
}

func TestPiecesOpenForTheirReceiverRoleAndEpochOnly(t *testing.T) {
	w := testWay()
	piece := w.First().Cut(testMessage())[0]
	for name, other := range map[string]Lock{
		"epoch": Way{w.Root, 8, w.Initiator, w.Responder}.First(),
		"roles": Way{w.Root, 7, w.Responder, w.Initiator}.First(),
		"root":  testWay().First(),
		"reply": w.Answer(make([]byte, handshake.Size)),
	} {
		if _, ok := other.Open(piece); ok || other.Marks(piece) {
			t.Error("opened in spite of another", name)
		}
	}
	for at := range piece {
		forged := slices.Clone(piece)
		forged[at] ^= 1
		if _, ok := w.First().Open(forged); ok {
			t.Fatal("byte", at, "may be changed")
		}
	}
}

// crowd is a Door's list: so many contacts, the last of whom has that way to self.
func crowd(n int, w Way) []handshake.Peer {
	peers := make([]handshake.Peer, n)
	for i := range peers {
		rand.Read(peers[i].Root[:])
		binary.BigEndian.PutUint32(peers[i].Static[:], uint32(1000+i))
	}
	peers[n-1] = handshake.Peer{Static: w.Initiator, Root: w.Root}
	return peers
}

func list(peers []handshake.Peer) func() []handshake.Peer {
	return func() []handshake.Peer { return peers }
}

func TestDoorFindsTheCaller(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := testWay()
	peers := crowd(50, w)
	for _, shift := range []int64{-1, 0, 1} {
		var d Door
		w.Epoch = handshake.Epoch(now) + uint64(shift)
		message := testMessage()
		pieces := w.First().Cut(message)
		if _, whole := d.Take(pieces[1], w.Responder, list(peers), now); whole {
			t.Fatal("one piece is a whole message")
		}
		if _, whole := d.Take(pieces[1], w.Responder, list(peers), now); whole {
			t.Fatal("one piece twice is a whole message")
		}
		k, whole := d.Take(pieces[0], w.Responder, list(peers), now)
		if !whole || k.Peer != peers[49] || k.Way != w || !bytes.Equal(k.Message, message) {
			t.Error("the caller was not found", whole)
		}
	}
	var d Door
	w.Epoch = handshake.Epoch(now) + 2
	for _, p := range w.First().Cut(testMessage()) {
		if _, whole := d.Take(p, w.Responder, list(peers), now); whole {
			t.Error("a message of a far epoch was taken")
		}
	}
}

func TestStrangersLeaveNothingBehind(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := testWay()
	var d Door
	for range 1000 {
		wire := make([]byte, PieceSize)
		rand.Read(wire)
		if _, whole := d.Take(wire, w.Responder, list(crowd(2, w)[1:]), now); whole {
			t.Fatal("noise was taken for a message")
		}
	}
	if len(d.callers) != 0 {
		t.Error("strangers are remembered")
	}
}

func TestStrangersCostIsBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := testWay()
	w.Epoch = handshake.Epoch(now)
	peers := crowd(100, w)
	var d Door
	wire := make([]byte, PieceSize)
	for range 5000 { // of which trials/300 are looked at
		d.Take(wire, w.Responder, list(peers), now)
	}
	if d.left >= len(d.marks) {
		t.Error("a flood is looked at without end")
	}
	pieces := w.First().Cut(testMessage())
	d.Take(pieces[0], w.Responder, list(peers), now)
	if _, whole := d.Take(pieces[1], w.Responder, list(peers), now); whole {
		t.Error("the second's budget has no end")
	}
	now = now.Add(time.Second)
	d.Take(pieces[0], w.Responder, list(peers), now)
	if _, whole := d.Take(pieces[1], w.Responder, list(peers), now); !whole {
		t.Error("a contact is not heard after a flood")
	}
}

func TestStrangersDatagramCopiesNoContacts(t *testing.T) {
	now, w, asked := time.Unix(1e9, 0), testWay(), 0
	peers := crowd(200, w)
	copied := func() []handshake.Peer {
		asked++
		return slices.Clone(peers)
	}
	noise := make([]byte, PieceSize)
	var d, naive Door
	d.Take(noise, w.Responder, copied, now)
	take := func() { d.Take(noise, w.Responder, copied, now) }
	if n := testing.AllocsPerRun(1000, take); n != 0 || asked != 1 {
		t.Errorf("a stranger's datagram costs %v allocations; contacts were asked for %d times",
			n, asked)
	}
	for range 1000 {
		now = now.Add(10 * time.Millisecond)
		take()
	}
	if asked > 1+10*4 {
		t.Error("in ten seconds contacts were asked for", asked, "times")
	}
	asked = 0
	if testing.AllocsPerRun(1000, func() {
		naive.Take(noise, w.Responder, list(copied()), now) // they are listed before anything
	}) == 0 || asked < 1000 {
		t.Error("the naive way costs nothing either: this test proves nothing")
	}
}

func TestContactHasABudget(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := testWay()
	w.Epoch = handshake.Epoch(now)
	var d Door
	knocked := func() (n int) {
		for range 100 {
			for _, p := range w.First().Cut(testMessage()) {
				if _, whole := d.Take(p, w.Responder, list(crowd(1, w)), now); whole {
					n++
				}
			}
		}
		return n
	}
	if n := knocked(); n != knocks {
		t.Error(n, "first messages of one contact at once")
	}
	now = now.Add(2 * knockEvery)
	if n := knocked(); n != 2 {
		t.Error(n, "after a while")
	}
}

func TestHalvesAreForgotten(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := testWay()
	w.Epoch = handshake.Epoch(now)
	var d Door
	for range 100 {
		d.Take(w.First().Cut(testMessage())[0], w.Responder, list(crowd(1, w)), now)
	}
	if n := len(d.callers[w.Initiator].halves); n != partials {
		t.Error(n, "halves are kept")
	}
	pieces := w.First().Cut(testMessage())
	d.Take(pieces[0], w.Responder, list(crowd(1, w)), now)
	now = now.Add(patience + time.Second)
	if _, whole := d.Take(pieces[1], w.Responder, list(crowd(1, w)), now); whole {
		t.Error("a half waited for ever")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(make([]byte, plainSize))
	f.Add(append([]byte("message.\x01"), make([]byte, plainSize-header)...))
	f.Add([]byte{1, 2})
	f.Fuzz(func(t *testing.T, plain []byte) {
		p, ok := parse(plain)
		if !ok {
			return
		}
		again := make([]byte, plainSize)
		copy(again, p.Message[:])
		again[8] = byte(p.Index)
		copy(again[header:], p.Body)
		if !bytes.Equal(again, plain) {
			t.Error("a piece does not encode to what it was parsed from")
		}
	})
}

func FuzzTake(f *testing.F) {
	w := testWay()
	peers := crowd(2, w)
	f.Add(make([]byte, PieceSize))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		var d Door
		if _, whole := d.Take(wire, w.Responder, list(peers), time.Unix(1e9, 0)); whole {
			t.Error("one datagram is a whole message")
		}
	})
}

var write = flag.Bool("write", false, "write the test vectors anew")

const vectorFile = "testdata/vectors.json"

type text = proof.Hex

// vectors is what goes in and what must come out.
type vectors struct {
	Root      text   `json:"root"`
	Epoch     uint64 `json:"epoch"`
	Initiator text   `json:"initiator"`
	Responder text   `json:"responder"`
	Message   text   `json:"message"`
	Random    []text `json:"random"` // what the two pieces begin with
	First     []text `json:"first"`  // pieces of message as a first message
	Answer    []text `json:"answer"` // pieces of message as the answer to itself
}

func (v *vectors) compute() {
	w := Way{[32]byte(v.Root), v.Epoch, [32]byte(v.Initiator), [32]byte(v.Responder)}
	cut := func(l Lock) (out []text) {
		drawn := v.Random
		for _, p := range l.cut(v.Message, func(b []byte) {
			copy(b, drawn[0])
			drawn = drawn[1:]
		}) {
			out = append(out, p)
		}
		return out
	}
	v.First, v.Answer = cut(w.First()), cut(w.Answer(v.Message))
}

func given() *vectors {
	fill := func(n int, b byte) text { return bytes.Repeat([]byte{b}, n) }
	return &vectors{Root: fill(32, 1), Epoch: 82000, Initiator: fill(32, 2),
		Responder: fill(32, 3), Message: fill(handshake.Size, 4),
		Random: []text{fill(16, 5), fill(16, 6)}}
}

func TestPiecesGiveTheVectors(t *testing.T) {
	proof.Vectors(t, vectorFile, *write, given(), (*vectors).compute)
}
