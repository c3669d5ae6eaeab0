// Test vectors: packets under fixed keys. They stand in testdata/vectors.json; "go test
// ./tunnel/packet -run Vectors -write" writes them anew.

package packet

import (
	"bytes"
	"flag"
	"testing"

	"nightjar/tunnel/proof"
)

var write = flag.Bool("write", false, "write the test vectors anew")

const vectorFile = "testdata/vectors.json"

type text = proof.Hex

// vectors is what goes in and what must come out.
type vectors struct {
	Body    text     `json:"body_key"`
	Mask    text     `json:"mask_key"`
	IDs     text     `json:"ids_key"`
	Packets []vector `json:"packets"`
}

type vector struct {
	ID    uint64 `json:"id_number"`
	Kind  Kind   `json:"kind"`
	Count uint64 `json:"counter"`
	Size  int    `json:"size"`
	Body  text   `json:"body"`
	Wire  text   `json:"wire"`
}

// given is the input that the vectors are written from. The Control packet holds one frame of
// each type.
func given() *vectors {
	var control []byte
	for _, f := range []Frame{
		{Type: Chunk, Channel: 1, Sequence: 7, Last: true, Body: []byte("piece")},
		{Type: Ack, Sequence: 9, Beyond: 5},
		{Type: Challenge, Token: 1},
		{Type: Response, Token: 2},
		{Type: Data, Body: []byte("hello")},
		{Type: Bye},
	} {
		control = f.Append(control)
	}
	return &vectors{Body: bytes.Repeat([]byte{1}, 32), Mask: bytes.Repeat([]byte{2}, 32),
		IDs: bytes.Repeat([]byte{3}, 32),
		Packets: []vector{
			{ID: 0, Kind: Padding, Count: 0, Size: 256},
			{ID: 0, Kind: Datagram, Count: 1, Size: 256, Body: text("hello")},
			{ID: 1 << 40, Kind: Datagram, Count: wear - 1, Size: 512, Body: text("hello")},
			{ID: 1, Kind: Control, Count: 2, Size: 256, Body: control},
			{ID: 2, Kind: Stream, Count: 3, Size: Largest, Body: bytes.Repeat([]byte{5}, MaxBody)},
		}}
}

func (v *vectors) compute(t *testing.T) {
	s, err := NewSealer(Keys{[32]byte(v.Body), [32]byte(v.Mask)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range v.Packets {
		p := &v.Packets[i]
		p.Wire, s.count = make([]byte, p.Size), p.Count
		id := NewIDs([32]byte(v.IDs)).At(p.ID)
		if err := s.Seal(p.Wire, id, p.Kind, p.Body); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPacketsGiveTheVectors(t *testing.T) {
	proof.Vectors(t, vectorFile, *write, given(), func(v *vectors) { v.compute(t) })
}
