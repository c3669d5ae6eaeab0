// The two Noise messages with ML-KEM-768 beside them: made, answered and finished.

package handshake

import (
	"crypto/mlkem"

	"github.com/flynn/noise"
)

// An opening is the initiator's state between the two messages.
type opening struct {
	key   Key
	peer  Peer
	chain [32]byte
	noise *noise.HandshakeState
	kem   *mlkem.DecapsulationKey768
	ek    []byte // encapsulation key
}

// open makes Noise message 1, whose payload is the encapsulation key of a fresh KEM pair. chain is
// the secret the session before left behind, or zeros.
func open(k Key, p Peer, prologue []byte, chain [32]byte, from chance) (*opening, []byte, error) {
	ns, err := state(k, p.Static[:], prologue, true, from)
	if err != nil {
		return nil, nil, err
	}
	var seed [mlkem.SeedSize]byte
	defer clear(seed[:])
	from.fill(seed[:])
	kem, err := mlkem.NewDecapsulationKey768(seed[:])
	if err != nil {
		return nil, nil, err
	}
	ek := kem.EncapsulationKey().Bytes()
	message, _, _, err := ns.WriteMessage(make([]byte, 0, RenewSize), ek)
	if err != nil {
		return nil, nil, err
	}
	return &opening{k, p.rootless(), chain, ns, kem, ek}, message, nil
}

// finish reads Noise message 2. A forged one leaves the opening as it was.
func (o *opening) finish(message []byte) (*Session, error) {
	if len(message) != RenewedSize || lowOrder(message[mlkem.CiphertextSize768:][:32]) {
		return nil, ErrForged
	}
	ciphertext := message[:mlkem.CiphertextSize768]
	shared, err := o.kem.Decapsulate(ciphertext)
	if err != nil {
		return nil, ErrForged
	}
	defer clear(shared)
	psk := mixPSK(shared, o.peer.PSK, o.chain, o.ek, ciphertext)
	defer clear(psk[:])
	if err := o.noise.SetPresharedKey(psk[:]); err != nil {
		return nil, err
	}
	_, toward, back, err := o.noise.ReadMessage(nil, message[mlkem.CiphertextSize768:])
	if err != nil {
		return nil, ErrForged
	}
	return newSession(o.key, o.peer, o.noise.ChannelBinding(), toward, back, true)
}

// reply2 reads Noise message 1 and makes message 2.
func reply2(k Key, p Peer, prologue []byte, chain [32]byte, message []byte, from chance) (
	*Session, []byte, error) {
	if len(message) != RenewSize || lowOrder(message[:32]) {
		return nil, nil, ErrForged
	}
	ns, err := state(k, p.Static[:], prologue, false, from)
	if err != nil {
		return nil, nil, err
	}
	public, _, _, err := ns.ReadMessage(nil, message)
	if err != nil {
		return nil, nil, ErrForged
	}
	kem, err := mlkem.NewEncapsulationKey768(public)
	if err != nil {
		return nil, nil, ErrForged
	}
	shared, ciphertext := from.encapsulate(kem)
	defer clear(shared)
	psk := mixPSK(shared, p.PSK, chain, public, ciphertext)
	defer clear(psk[:])
	if err := ns.SetPresharedKey(psk[:]); err != nil {
		return nil, nil, err
	}
	reply, toward, back, err := ns.WriteMessage(ciphertext, nil)
	if err != nil {
		return nil, nil, err
	}
	s, err := newSession(k, p.rootless(), ns.ChannelBinding(), toward, back, false)
	return s, reply, err
}

func (p Peer) rootless() Peer {
	p.Root = [32]byte{}
	return p
}
