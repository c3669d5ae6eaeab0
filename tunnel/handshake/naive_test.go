// Schemes that are weaker than ours, on which the attacks of the claims succeed.

package handshake

import (
	"crypto/rand"
	"reflect"
	"testing"

	"nightjar/tunnel/record"

	"github.com/flynn/noise"
)

// staticOnly is a key that needs nothing fresh in secret: the agreement of the static keys, the
// PSK, and a nonce that everybody saw.
func staticOnly(t testing.TB, k Key, p Peer, nonce []byte) [32]byte {
	t.Helper()
	shared, err := k.Agree(p.Static)
	if err != nil {
		t.Fatal(err)
	}
	return keyed(shared[:], p.PSK[:], nonce)
}

// nameless makes a session by Noise NNpsk2, which knows no static keys: the initiator calls the
// one, and the other answers. It returns what each takes for the session's binding.
func nameless(t testing.TB, one, other Peer) (calling, called [32]byte) {
	t.Helper()
	suite := noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2s)
	side := func(p Peer, initiator bool) *noise.HandshakeState {
		s, err := noise.NewHandshakeState(noise.Config{CipherSuite: suite, Random: rand.Reader,
			Pattern: noise.HandshakeNN, Initiator: initiator, Prologue: firstPrologue,
			PresharedKey: p.PSK[:], PresharedKeyPlacement: 2})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	in, re := side(one, true), side(other, false)
	m1, _, _, err := in.WriteMessage(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := re.ReadMessage(nil, m1); err != nil {
		return calling, [32]byte{1}
	}
	m2, _, _, err := re.WriteMessage(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := in.ReadMessage(nil, m2); err != nil {
		return calling, [32]byte{1}
	}
	return [32]byte(in.ChannelBinding()), [32]byte(re.ChannelBinding())
}

// rewind makes a lane begin anew, as one who tries a stolen key on a recorded record would.
func rewind(l *record.Lane) {
	count := reflect.ValueOf(l).Elem().FieldByName("count")
	*(*uint64)(count.Addr().UnsafePointer()) = 0
}
