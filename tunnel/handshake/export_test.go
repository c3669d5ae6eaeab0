// Test vectors of what a session exports: the keys of packets, derived from the handshake of
// testdata/vectors.json. "go test ./tunnel/handshake -run Exports -write" writes them anew.

package handshake

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"nightjar/tunnel/proof"
)

const exportFile = "testdata/exports.json"

// exported is a secret for each label that packets use.
func exported(t *testing.T) map[string]text {
	v := given()
	key := func(b []byte) *proof.Key { return proof.KeyOf(t, b) }
	aKey, bKey := key(v.InitiatorPrivate), key(v.ResponderPrivate)
	a := Peer{aKey.AgreementKey(), [32]byte(v.Root), [32]byte(v.PSK)}
	b := Peer{bKey.AgreementKey(), [32]byte(v.Root), [32]byte(v.PSK)}
	from, to := v.First.chances()
	in, first, err := start(aKey, b, v.Epoch, from)
	if err != nil {
		t.Fatal(err)
	}
	far, reply, err := answer(bKey, []Peer{a}, v.Epoch, new(Memory), first, to)
	if err != nil {
		t.Fatal(err)
	}
	near, err := in.Finish(reply)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]text)
	for _, what := range []string{"packets", "numbers", "ids", "streams"} {
		for _, side := range []string{"initiator", "responder"} {
			label := "nightjar tunnel 2 " + what + " of the " + side
			one, two := near.Export(label), far.Export(label)
			if one != two {
				t.Error("the two export different secrets")
			}
			out[label] = one[:]
		}
	}
	return out
}

func TestExportsGiveTheVectors(t *testing.T) {
	got, _ := json.MarshalIndent(exported(t), "", "\t")
	got = append(got, '\n')
	if *write {
		if err := os.WriteFile(exportFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(exportFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("exports no longer give the vectors")
	}
}

func TestExportsOfSessionsAndLabelsDiffer(t *testing.T) {
	p := newPair(t)
	a, far := p.meet(t)
	other, _ := p.meet(t)
	if a.Export("x") == other.Export("x") || a.Export("x") == a.Export("y") {
		t.Error("two uses have the same secret")
	}
	next, _ := renew(t, a, far)
	if next.Export("x") == a.Export("x") {
		t.Error("a renewal exports the same secret")
	}
}
