//go:build e2e

// The contact at the far end of a tunnel, written by docs/protocol-tunnel.md alone: it knows every
// secret that the two ends share, and keeps all of them.

package memory

import (
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/flynn/noise"
	"golang.org/x/crypto/chacha20poly1305"

	"nightjar/tunnel/mark"
	"nightjar/tunnel/record"
)

// Sizes of section 3 and 4.
const (
	outerSize  = 1494
	firstSize  = 1232
	answerSize = 1136
)

// mirror is one contact and its tunnel.
type mirror struct {
	name      string
	self      noise.DHKey
	peer      [32]byte // static key of the identity
	root, psk [32]byte
	conn      net.Conn
	known     secrets
	initiator bool

	binding, chain []byte
	recv           *record.Lane
	finish         func([]byte) (toward, back *record.Lane) // of the renewal that is under way
	answered       []byte                                   // its message 2, as far as it came
	renewed        chan struct{}                            // closed when it is done

	mu   sync.Mutex // over what is sent
	send *record.Lane
}

// expand is Expand of section 2.
func expand(prk []byte, info ...string) []byte {
	all := ""
	for _, s := range info {
		all += s
	}
	return must(hkdf.Expand(sha256.New, prk, all, 32))
}

// outer are the two keys of section 3.
func (m *mirror) outer(nonce []byte) (first, answer []byte) {
	epoch := string(binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/21600)))
	i, r := string(m.self.Public), string(m.peer[:])
	if !m.initiator {
		i, r = r, i
	}
	const label = "nightjar tunnel 2 outer "
	return expand(m.root[:], label+"first", epoch, i, r),
		expand(m.root[:], label+"answer", epoch, i, r, string(nonce))
}

// mark makes of a nonce that of a first message, in section 3.
func (m *mirror) mark(nonce []byte) {
	epoch := string(binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/21600)))
	secret := expand(m.root[:], "nightjar tunnel 2 outer mark", epoch, string(m.self.Public),
		string(m.peer[:]))
	mark.NewKey([32]byte(secret)).Sign(nonce)
}

func (m *mirror) seal(key, nonce, message []byte) []byte {
	plain := append(message, make([]byte, outerSize-24-16-len(message))...)
	return must(chacha20poly1305.NewX(key)).Seal(nonce, nonce, plain, nil)
}

func (m *mirror) unseal(key, wire []byte, n int) []byte {
	return must(must(chacha20poly1305.NewX(key)).Open(nil, wire[:24], wire[24:], nil))[:n]
}

// witness is a Diffie-Hellman that remembers its results.
type witness struct {
	noise.DHFunc
	results [][]byte
}

func (w *witness) DH(private, public []byte) ([]byte, error) {
	shared, err := w.DHFunc.DH(private, public)
	w.results = append(w.results, append([]byte(nil), shared...))
	return shared, err
}

// noise begins section 4's handshake.
func (m *mirror) noise(prologue string) (*noise.HandshakeState, *witness) {
	w := &witness{DHFunc: noise.DH25519}
	return must(noise.NewHandshakeState(noise.Config{
		CipherSuite: noise.NewCipherSuite(w, noise.CipherChaChaPoly, noise.HashBLAKE2s),
		Random:      rand.Reader, Pattern: noise.HandshakeKK, Initiator: m.initiator,
		Prologue: []byte(prologue), PresharedKeyPlacement: 2, StaticKeypair: m.self,
		PeerStatic: m.peer[:],
	})), w
}

// keep notes a secret of an epoch.
func (m *mirror) keep(epoch int, what string, b []byte) []byte {
	m.known[fmt.Sprintf("%s epoch %d %s", m.name, epoch, what)] = append([]byte(nil), b...)
	return b
}

// mix is psk2.
func (m *mirror) mix(epoch int, shared, ek, ct []byte) []byte {
	m.keep(epoch, "kem secret", shared)
	prk := must(hkdf.Extract(sha256.New, append(append(append([]byte(nil), shared...),
		m.psk[:]...), m.chain...), nil))
	sum := sha256.Sum256(append(append([]byte(nil), ek...), ct...))
	return m.keep(epoch, "psk2", expand(prk, "nightjar tunnel 2 psk2", string(sum[:])))
}

// split makes the lanes and the chain out of what Noise gives, and notes them all. toward is of
// what the initiator sends.
func (m *mirror) split(epoch int, w *witness, h []byte, one, two *noise.CipherState) (toward,
	back *record.Lane) {
	for i, r := range w.results {
		m.keep(epoch, fmt.Sprint("agreement ", i), r)
	}
	k1, k2 := one.UnsafeKey(), two.UnsafeKey()
	m.keep(epoch, "noise 1", k1[:])
	m.keep(epoch, "noise 2", k2[:])
	prk := must(hkdf.Extract(sha256.New, append(k1[:], k2[:]...), h))
	m.binding = h
	m.chain = m.keep(epoch, "chain", expand(prk, "nightjar tunnel 2 chain"))
	const label = "nightjar tunnel 2 records of the "
	toward = must(record.NewLane(m.keep(epoch, "there", expand(prk, label+"initiator"))))
	back = must(record.NewLane(m.keep(epoch, "back", expand(prk, label+"responder"))))
	return toward, back
}

// ask is message 1, answered what finishes the handshake with message 2.
func (m *mirror) ask(epoch int, prologue string) (message []byte,
	answered func([]byte) (toward, back *record.Lane)) {
	ns, w := m.noise(prologue)
	kem := must(mlkem.GenerateKey768())
	ek := kem.EncapsulationKey().Bytes()
	message, _, _, err := ns.WriteMessage(nil, ek)
	check(err)
	return message, func(b []byte) (toward, back *record.Lane) {
		ct := b[:mlkem.CiphertextSize768]
		check(ns.SetPresharedKey(m.mix(epoch, must(kem.Decapsulate(ct)), ek, ct)))
		_, one, two, err := ns.ReadMessage(nil, b[len(ct):])
		check(err)
		return m.split(epoch, w, ns.ChannelBinding(), one, two)
	}
}

// answer makes message 2 out of message 1.
func (m *mirror) answer(epoch int, message []byte) (reply []byte, toward, back *record.Lane) {
	ns, w := m.noise("nightjar tunnel 2 session")
	ek, _, _, err := ns.ReadMessage(nil, message)
	check(err)
	shared, ct := must(mlkem.NewEncapsulationKey768(ek)).Encapsulate()
	check(ns.SetPresharedKey(m.mix(epoch, shared, ek, ct)))
	reply, one, two, err := ns.WriteMessage(append([]byte(nil), ct...), nil)
	check(err)
	toward, back = m.split(epoch, w, ns.ChannelBinding(), one, two)
	return reply, toward, back
}

// shake makes the tunnel.
func (m *mirror) shake() {
	m.chain = make([]byte, 32)
	nonce := make([]byte, 24, outerSize)
	rand.Read(nonce)
	wire := make([]byte, outerSize)
	if m.initiator {
		m.mark(nonce)
		first, answer := m.outer(nonce)
		m.keep(0, "outer first", first)
		m.keep(0, "outer answer", answer)
		message, answered := m.ask(0, "nightjar tunnel 2 session")
		must(m.conn.Write(m.seal(first, nonce, message)))
		must(io.ReadFull(m.conn, wire))
		m.send, m.recv = answered(m.unseal(answer, wire, answerSize))
		return
	}
	must(io.ReadFull(m.conn, wire))
	first, answer := m.outer(wire[:24])
	m.keep(0, "outer first", first)
	m.keep(0, "outer answer", answer)
	reply, toward, back := m.answer(0, m.unseal(first, wire, firstSize))
	must(m.conn.Write(m.seal(answer, nonce, reply)))
	m.send, m.recv = back, toward
}
