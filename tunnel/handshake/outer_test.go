// The claims of the outer layer: nobody but a contact is heard, nothing is recognisable, nothing
// is answered twice.

package handshake

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"nightjar/tunnel/proof"
)

func TestContactsMeet(t *testing.T) {
	p := newPair(t)
	a, b := p.meet(t)
	if a.Peer != p.b.Static || b.Peer != p.a.Static {
		t.Error("a side took the other for somebody else")
	}
	talks(t, a, b)
}

func TestStrangerIsKnownBeforeAnyDiffieHellman(t *testing.T) {
	p := newPair(t)
	_, genuine := p.start(t)
	other := *p
	other.b.Root[0] ^= 1
	_, wrongRoot := other.start(t)
	_, wrongStatic, err := Start(proof.NewKey(t), p.b, now)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(genuine)
	flipped[700] ^= 1
	for name, wire := range map[string][]byte{
		"zeros": make([]byte, Size), "empty": nil, "short": genuine[:Size-1],
		"long": append(bytes.Clone(genuine), 0), "flipped": flipped,
		"wrong root": wrongRoot, "wrong static": wrongStatic,
	} {
		if _, reply, err := p.answer(wire); !errors.Is(err, ErrStranger) || reply != nil {
			t.Error(name, "was not met with silence:", err)
		}
	}
	if p.bKey.Agreed() != 0 {
		t.Error("strangers caused", p.bKey.Agreed(), "Diffie-Hellmans")
	}
}

func TestCallerIsFoundAmongManyContacts(t *testing.T) {
	p := newPair(t)
	peers := make([]Peer, MaxPeers-1)
	for i := range peers {
		peers[i].Static = [32]byte{byte(i), byte(i >> 8)}
		peers[i].Root = [32]byte{byte(i), byte(i >> 8), 1}
	}
	_, wire := p.start(t)
	s, _, err := Answer(p.bKey, slices.Concat(peers, []Peer{p.a}), now, new(Memory), wire)
	if err != nil || s.Peer != p.a.Static {
		t.Error("not found:", err)
	}
	crowd := slices.Concat(peers, peers[:1], []Peer{p.a})
	if _, _, err = Answer(p.bKey, crowd, now, new(Memory), wire); !errors.Is(err, ErrStranger) {
		t.Error("more than MaxPeers were tried:", err)
	}
}

func TestReplayIsRefusedBeforeAnyDiffieHellman(t *testing.T) {
	p := newPair(t)
	_, wire := p.start(t)
	if _, _, err := p.answer(wire); err != nil {
		t.Fatal(err)
	}
	agreed := p.bKey.Agreed()
	for e := range uint64(3) {
		_, reply, err := Answer(p.bKey, []Peer{p.a}, now-1+e, p.seen, wire)
		if !errors.Is(err, ErrReplay) || reply != nil {
			t.Error("replay answered in epoch", e, err)
		}
	}
	if p.bKey.Agreed() != agreed {
		t.Error("a replay caused a Diffie-Hellman")
	}
	// A responder without memory would answer.
	if _, reply, err := Answer(p.bKey, []Peer{p.a}, now, new(Memory), wire); reply == nil {
		t.Error("the test would not notice:", err)
	}
}

func TestOnlyNeighbouringEpochsAreTaken(t *testing.T) {
	p := newPair(t)
	for e, want := range map[uint64]error{
		now - 2: ErrStranger, now - 1: nil, now: nil, now + 1: nil, now + 2: ErrStranger,
	} {
		in, wire, err := Start(p.aKey, p.b, e)
		if err != nil {
			t.Fatal(err)
		}
		_, reply, err := p.answer(wire)
		if !errors.Is(err, want) {
			t.Error("epoch", int64(e-now), "gave", err)
		}
		if want == nil {
			if _, err := in.Finish(reply); err != nil {
				t.Error("answer in epoch", int64(e-now), "not taken:", err)
			}
		}
	}
}

func TestMemoryForgetsOldEpochsAndBoundsEachContact(t *testing.T) {
	m := new(Memory)
	wire := make([]byte, Size)
	for i := range perLink + 100 {
		wire[0], wire[1] = byte(i), byte(i>>8)
		if ok := m.admit(now, now, [32]byte{1}, wire); ok != (i < perLink) {
			t.Fatal("message", i, "admitted:", ok)
		}
	}
	if !m.admit(now, now, [32]byte{2}, wire) {
		t.Error("one contact crowded out another")
	}
	m.admit(now+2, now+2, [32]byte{1}, wire)
	if len(m.epochs) != 1 {
		t.Error("epochs remembered:", len(m.epochs))
	}
}

func TestReflectedMessageFindsNobody(t *testing.T) {
	p := newPair(t)
	in, wire := p.start(t)
	// Back to its sender, which knows b under the same root.
	_, _, err := Answer(p.aKey, []Peer{p.b}, now, new(Memory), wire)
	if !errors.Is(err, ErrStranger) {
		t.Error("own first message was answered:", err)
	}
	if _, err := in.Finish(wire); !errors.Is(err, ErrStranger) {
		t.Error("own first message was taken for an answer:", err)
	}
}

func TestAnswerBelongsToOneFirstMessage(t *testing.T) {
	p := newPair(t)
	_, one := p.start(t)
	other, _ := p.start(t)
	_, reply, err := p.answer(one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Finish(reply); !errors.Is(err, ErrStranger) {
		t.Error("the answer to another message was taken:", err)
	}
}

func TestHandshakeLooksRandom(t *testing.T) {
	p := newPair(t)
	var wires, naive [][]byte
	for range 400 {
		in, wire := p.start(t)
		_, reply, err := p.answer(wire)
		if err != nil {
			t.Fatal(err)
		}
		wires = append(wires, wire, reply)
		// What would cross without the outer layer: an ephemeral key and a KEM ciphertext.
		_, bare, err := open(p.aKey, p.b, nil, [32]byte{}, fresh())
		if err != nil {
			t.Fatal(err)
		}
		_ = in
		naive = append(naive, bare[:32])
	}
	if n := fixedBits(wires); n > 0 {
		t.Error(n, "bits of the handshake are predictable")
	}
	if fixedBits(naive) == 0 {
		t.Error("the test would not notice a bare ephemeral key")
	}
}

// fixedBits counts the bit positions that are set far more or less often than by chance. Of N
// fair bits the sum deviates by sqrt(N)/2; seven of those never happen in 12000 positions.
func fixedBits(wires [][]byte) (biased int) {
	n := float64(len(wires))
	for at := range wires[0] {
		for bit := range 8 {
			sum := 0.0
			for _, w := range wires {
				sum += float64(w[at] >> bit & 1)
			}
			if d := sum - n/2; d*d > 49*n/4 {
				biased++
			}
		}
	}
	return biased
}

func TestDerivationIsThatOfTheStandardLibrary(t *testing.T) {
	secret, salt, info := []byte("secret"), []byte("salt"), []byte("and info")
	want, err := hkdf.Key(sha256.New, secret, salt, "label and info", 32)
	if err != nil {
		t.Fatal(err)
	}
	d := extract(salt, secret[:3], secret[3:])
	for range 2 {
		if got := d.key("label ", info); !bytes.Equal(got[:], want) {
			t.Error("not HKDF-SHA256")
		}
	}
	prk := bytes.Repeat([]byte{5}, 32)
	want, _ = hkdf.Expand(sha256.New, prk, "text", 32)
	d = deriver(prk)
	if got := d.key("text"); !bytes.Equal(got[:], want) {
		t.Error("not HKDF-Expand-SHA256")
	}
}
