// What lies in a slot: a sealed body of constant size that is a valid pkarr packet. Pure.

package meet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"

	"nightjar/node/card"
	"nightjar/node/meet/relay"
	"nightjar/node/meet/walk"
)

const (
	bodySize   = card.SealedSize
	sealedSize = chacha20poly1305.NonceSizeX + bodySize + chacha20poly1305.Overhead
	dnsHeader  = "\x00\x00\x80\x00\x00\x00\x00\x01\x00\x00\x00\x00"
	dnsTXT     = "\x00\x10\x00\x01\x00\x00\x01\x2c" // type TXT, class IN, TTL 300
	nameSize   = 1 + 52 + 1
	chunks     = (sealedSize + 254) / 255
	valueSize  = len(dnsHeader) + nameSize + len(dnsTXT) + 2 + sealedSize + chunks
)

// put seals a body of bodySize into an item of the slot.
func (s *slot) put(body []byte, seq int64) walk.Item {
	i := walk.Item{Key: s.key(), Seq: seq}
	do(func() {
		i.Value = pack(i.Key, s.lock(body))
		i.Sig = [64]byte(ed25519.Sign(s.sign, walk.SigningBytes(seq, i.Value)))
	})
	return i
}

// open returns the body of an item of the slot, or false.
func (s *slot) open(i walk.Item) (body []byte, ok bool) {
	sealed, ok := unpack(i.Key, i.Value)
	if !ok || i.Key != s.key() {
		return nil, false
	}
	body = make([]byte, 0, bodySize)
	var err error
	do(func() {
		aead, e := chacha20poly1305.NewX(s.seal[:])
		if err = e; err == nil {
			nonce, box := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
			body, err = aead.Open(body, nonce, box, i.Key[:])
		}
	})
	return body, err == nil
}

func (s *slot) lock(body []byte) []byte {
	aead, err := chacha20poly1305.NewX(s.seal[:])
	if err != nil || len(body) != bodySize {
		panic("a body of another size")
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX, sealedSize)
	rand.Read(nonce)
	k := s.key()
	return aead.Seal(nonce, nonce, body, k[:])
}

// pack writes the DNS message around sealedSize bytes.
func pack(key [32]byte, sealed []byte) []byte {
	b := append(make([]byte, 0, valueSize), dnsHeader...)
	b = append(b, nameSize-2)
	b = append(b, relay.Name(key)...)
	b = append(b, 0)
	b = append(b, dnsTXT...)
	b = binary.BigEndian.AppendUint16(b, sealedSize+chunks)
	for len(sealed) > 0 {
		n := min(len(sealed), 255)
		b = append(append(b, byte(n)), sealed[:n]...)
		sealed = sealed[n:]
	}
	return b
}

// unpack reads what pack wrote, and nothing else.
func unpack(key [32]byte, value []byte) ([]byte, bool) {
	if len(value) != valueSize {
		return nil, false
	}
	rest := value[valueSize-sealedSize-chunks:]
	var sealed []byte
	for len(rest) > 0 {
		n := min(int(rest[0]), len(rest)-1)
		sealed = append(sealed, rest[1:1+n]...)
		rest = rest[1+n:]
	}
	return sealed, len(sealed) == sealedSize && bytes.Equal(pack(key, sealed), value)
}

// reachBody pads a reach record to the size of a body.
func reachBody(r card.Reach) ([]byte, error) {
	b, err := r.MarshalBinary()
	if err != nil {
		return nil, err
	}
	if len(b) > bodySize-2 {
		return nil, ErrRecord
	}
	body := make([]byte, bodySize)
	binary.BigEndian.PutUint16(body, uint16(len(b)))
	copy(body[2:], b)
	return body, nil
}

// parseReach undoes reachBody.
func parseReach(body []byte) (card.Reach, bool) {
	var r card.Reach
	if len(body) != bodySize {
		return r, false
	}
	n := int(binary.BigEndian.Uint16(body))
	if n > bodySize-2 || len(bytes.Trim(body[2+n:], "\x00")) > 0 {
		return r, false
	}
	return r, r.UnmarshalBinary(body[2:2+n]) == nil
}
