// Test vectors: a whole handshake and its renewal with every random byte fixed. They stand in
// testdata/vectors.json; "go test ./tunnel/handshake -run Vectors -write" writes them anew.

package handshake

import (
	"bytes"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"flag"
	"testing"

	"nightjar/tunnel/proof"
	"nightjar/tunnel/record"
)

var write = flag.Bool("write", false, "write the test vectors anew")

const vectorFile = "testdata/vectors.json"

type text = proof.Hex

// vectors is what goes in and what must come out.
type vectors struct {
	InitiatorPrivate text   `json:"initiator_private"`
	ResponderPrivate text   `json:"responder_private"`
	Root             text   `json:"root"`
	PSK              text   `json:"psk"`
	Epoch            uint64 `json:"epoch"`
	First            draw   `json:"first"`
	Renewal          draw   `json:"renewal"`

	FirstMessage   text   `json:"first_message"`
	Answer         text   `json:"answer"`
	Binding        text   `json:"binding"`
	Chain          text   `json:"chain"`
	Records        []text `json:"records"` // of both sides in turn, initiator first
	RenewMessage   text   `json:"renew_message"`
	RenewedMessage text   `json:"renewed_message"`
	RenewedBinding text   `json:"renewed_binding"`
	RenewedChain   text   `json:"renewed_chain"`
	RenewedRecords []text `json:"renewed_records"`
}

// A draw is the randomness of one handshake.
type draw struct {
	InitiatorEphemeral text `json:"initiator_ephemeral"`
	KEMSeed            text `json:"kem_seed"` // d | z of FIPS 203
	FirstSeed          text `json:"first_seed,omitempty"`
	ResponderEphemeral text `json:"responder_ephemeral"`
	KEMMessage         text `json:"kem_message"` // m of FIPS 203
	AnswerNonce        text `json:"answer_nonce,omitempty"`
}

// chances deals the fixed bytes to the two sides.
func (d draw) chances() (initiator, responder chance) {
	deal := func(parts ...text) func([]byte) {
		return func(b []byte) {
			if len(parts) == 0 || len(parts[0]) < len(b) {
				panic("vectors: more randomness drawn than given")
			}
			copy(b, parts[0])
			parts = parts[1:]
		}
	}
	initiator.fill = deal(d.KEMSeed, d.InitiatorEphemeral, d.FirstSeed)
	responder.fill = deal(d.ResponderEphemeral, d.AnswerNonce)
	responder.encapsulate = func(k *mlkem.EncapsulationKey768) ([]byte, []byte) {
		shared, ciphertext, err := mlkemtest.Encapsulate768(k, d.KEMMessage)
		if err != nil {
			panic(err)
		}
		return shared, ciphertext
	}
	return initiator, responder
}

// compute runs the handshake and the renewal, and fills in what comes out.
func (v *vectors) compute(t *testing.T) {
	key := func(b []byte) *proof.Key { return proof.KeyOf(t, b) }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p := &pair{aKey: key(v.InitiatorPrivate), bKey: key(v.ResponderPrivate)}
	p.a = Peer{p.aKey.AgreementKey(), [32]byte(v.Root), [32]byte(v.PSK)}
	p.b = Peer{p.bKey.AgreementKey(), [32]byte(v.Root), [32]byte(v.PSK)}
	from, to := v.First.chances()
	in, first, err := start(p.aKey, p.b, v.Epoch, from)
	check(err)
	b, reply, err := answer(p.bKey, []Peer{p.a}, v.Epoch, new(Memory), first, to)
	check(err)
	a, err := in.Finish(reply)
	check(err)
	v.FirstMessage, v.Answer, v.Binding, v.Chain = first, reply, a.Binding[:], a.chain[:]
	v.Records = records(t, a, b)

	from, to = v.Renewal.chances()
	r, m1, err := a.renew(from)
	check(err)
	b2, m2, err := b.answerRenewal(m1, to)
	check(err)
	a2, err := r.Finish(m2)
	check(err)
	v.RenewMessage, v.RenewedMessage = m1, m2
	v.RenewedBinding, v.RenewedChain = a2.Binding[:], a2.chain[:]
	v.RenewedRecords = records(t, a2, b2)
}

// records seals two records of each side: a datagram, and padding alone.
func records(t *testing.T, a, b *Session) (sealed []text) {
	for _, plain := range [][]byte{record.Append(nil, record.Datagram, []byte("hello")...), nil} {
		for _, l := range []*record.Lane{a.Send, b.Send} {
			s, err := l.Seal(append(make([]byte, 0, record.Size), plain...))
			if err != nil {
				t.Fatal(err)
			}
			sealed = append(sealed, s)
		}
	}
	return sealed
}

// given is the input that the vectors are written from.
func given() *vectors {
	n := byte(0)
	bytesOf := func(size int) text {
		n++
		return bytes.Repeat([]byte{n}, size)
	}
	drawn := func() draw {
		return draw{bytesOf(32), bytesOf(64), bytesOf(16), bytesOf(32), bytesOf(32), bytesOf(24)}
	}
	v := &vectors{InitiatorPrivate: bytesOf(32), ResponderPrivate: bytesOf(32), Root: bytesOf(32),
		PSK: bytesOf(32), Epoch: 82000, First: drawn(), Renewal: drawn()}
	v.Renewal.FirstSeed, v.Renewal.AnswerNonce = nil, nil
	return v
}

func TestHandshakeGivesTheVectors(t *testing.T) {
	proof.Vectors(t, vectorFile, *write, given(), func(v *vectors) { v.compute(t) })
}
