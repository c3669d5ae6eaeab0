// The Noise side against vectors of others. testdata/cacophony.json holds those of the set
// "cacophony" (vectors/cacophony.txt of github.com/haskell-cryptography/cacophony at 8ee9d41, in
// the public domain) for the pattern KK, bare and with a pre-shared key in either place, X25519,
// both ciphers and the four hashes: 24. Of Curve448 and of deferred patterns the library has none.

package handshake

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/flynn/noise"

	"nightjar/tunnel/proof"
)

type cacophony struct {
	Name          string `json:"protocol_name"`
	Prologue      text   `json:"init_prologue"`
	PSKs          []text `json:"init_psks"`
	InitStatic    text   `json:"init_static"`
	InitEphemeral text   `json:"init_ephemeral"`
	RespStatic    text   `json:"resp_static"`
	RespEphemeral text   `json:"resp_ephemeral"`
	Hash          text   `json:"handshake_hash"`
	Messages      []struct{ Payload, Ciphertext text }
}

// ours is the protocol that the package speaks.
const ours = "Noise_KKpsk2_25519_ChaChaPoly_BLAKE2s"

func TestNoiseAgreesWithOtherImplementations(t *testing.T) {
	b, err := os.ReadFile("testdata/cacophony.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []cacophony
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	met := map[string]bool{}
	for _, v := range all {
		t.Run(v.Name, v.check)
		met[v.Name] = true
	}
	if len(met) != 24 || !met[ours] {
		t.Error("vectors:", len(met), "ours among them:", met[ours])
	}
}

// check runs a whole conversation by a vector.
func (v cacophony) check(t *testing.T) {
	in := v.side(t, v.InitStatic, v.RespStatic, v.InitEphemeral, true)
	re := v.side(t, v.RespStatic, v.InitStatic, v.RespEphemeral, false)
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

// side begins one side: by the function that the package uses where it is of its protocol, and
// with its own Diffie-Hellman everywhere.
func (v cacophony) side(t *testing.T, own, other, fixed text, first bool) *noise.HandshakeState {
	key := func(b []byte) *proof.Key { return proof.KeyOf(t, b) }
	k, peer := key(own), key(other).AgreementKey()
	from := chance{fill: func(b []byte) { copy(b, fixed) }}
	if v.Name == ours {
		s, err := state(k, peer[:], v.Prologue, first, from)
		if err == nil {
			err = s.SetPresharedKey(v.PSKs[0])
		}
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	parts := strings.Split(v.Name, "_")
	public := k.AgreementKey()
	c := noise.Config{CipherSuite: noise.NewCipherSuite(&agreement{static: k},
		map[string]noise.CipherFunc{"ChaChaPoly": noise.CipherChaChaPoly,
			"AESGCM": noise.CipherAESGCM}[parts[3]],
		map[string]noise.HashFunc{"BLAKE2s": noise.HashBLAKE2s, "BLAKE2b": noise.HashBLAKE2b,
			"SHA256": noise.HashSHA256, "SHA512": noise.HashSHA512}[parts[4]]),
		Random: from, Pattern: noise.HandshakeKK, Initiator: first, Prologue: v.Prologue,
		StaticKeypair: noise.DHKey{Public: public[:]}, PeerStatic: peer[:]}
	if len(v.PSKs) > 0 {
		c.PresharedKey, c.PresharedKeyPlacement = v.PSKs[0], int(parts[1][len("KKpsk")]-'0')
	}
	s, err := noise.NewHandshakeState(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
