// The Noise side against a vector of others: testdata/cacophony.json is the one of the public
// domain set "cacophony" for this protocol name.

package handshake

import (
	"bytes"
	"crypto/ecdh"
	"encoding/json"
	"os"
	"testing"

	"github.com/flynn/noise"
)

type cacophony struct {
	Prologue      text   `json:"init_prologue"`
	PSKs          []text `json:"init_psks"`
	InitStatic    text   `json:"init_static"`
	InitEphemeral text   `json:"init_ephemeral"`
	RespStatic    text   `json:"resp_static"`
	RespEphemeral text   `json:"resp_ephemeral"`
	Hash          text   `json:"handshake_hash"`
	Messages      []struct{ Payload, Ciphertext text }
}

func TestNoiseAgreesWithOtherImplementations(t *testing.T) {
	b, err := os.ReadFile("testdata/cacophony.json")
	if err != nil {
		t.Fatal(err)
	}
	var v cacophony
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	side := func(own, other, ephemeral text, initiator bool) *noise.HandshakeState {
		key := func(b []byte) *testKey {
			private, err := ecdh.X25519().NewPrivateKey(b)
			if err != nil {
				t.Fatal(err)
			}
			return &testKey{private: private}
		}
		peer := key(other).AgreementKey()
		from := chance{fill: func(b []byte) { copy(b, ephemeral) }}
		s, err := state(key(own), peer[:], v.Prologue, initiator, from)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetPresharedKey(v.PSKs[0]); err != nil {
			t.Fatal(err)
		}
		return s
	}
	in := side(v.InitStatic, v.RespStatic, v.InitEphemeral, true)
	re := side(v.RespStatic, v.InitStatic, v.RespEphemeral, false)
	m1, _, _, err := in.WriteMessage(nil, v.Messages[0].Payload)
	if err != nil || !bytes.Equal(m1, v.Messages[0].Ciphertext) {
		t.Fatal("message 1 differs", err)
	}
	if _, _, _, err := re.ReadMessage(nil, m1); err != nil {
		t.Fatal(err)
	}
	m2, from, to, err := re.WriteMessage(nil, v.Messages[1].Payload)
	if err != nil || !bytes.Equal(m2, v.Messages[1].Ciphertext) {
		t.Fatal("message 2 differs", err)
	}
	if _, _, _, err := in.ReadMessage(nil, m2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(in.ChannelBinding(), v.Hash) || !bytes.Equal(re.ChannelBinding(), v.Hash) {
		t.Error("handshake hash differs")
	}
	for i, m := range v.Messages[2:] {
		lane := from
		if i%2 == 1 {
			lane = to
		}
		c, err := lane.Encrypt(nil, nil, m.Payload)
		if err != nil || !bytes.Equal(c, m.Ciphertext) {
			t.Error("transport message", i, "differs", err)
		}
	}
}
