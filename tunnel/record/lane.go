// One direction of a session: a key, a counter, and the sealing of records under them.

package record

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

// wear is how many records one key seals at most; a session renews its keys long before.
const wear = 1 << 32

// Errors of a lane. After either of them the session must end.
var (
	ErrForged = errors.New("record does not authenticate")
	ErrWorn   = errors.New("key has sealed its last record")
)

// A Lane seals or opens the records of one direction, in order. It is not safe for concurrent use.
type Lane struct {
	aead  cipher.AEAD
	count uint64
	nonce [chacha20poly1305.NonceSize]byte
}

// NewLane takes a key that is used for nothing else. It must be called where temporary storage is
// erased (see Erasing), so that the copy of the key inside the lane is erased with the lane.
func NewLane(key []byte) (*Lane, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	return &Lane{aead: aead}, nil
}

// Seal pads plain with zeros and seals it in place. plain must have capacity Size; the record that
// is returned begins where plain begins.
func (l *Lane) Seal(plain []byte) (sealed []byte, err error) {
	if l.count >= wear {
		return nil, ErrWorn
	}
	n := len(plain)
	plain = plain[:Plain]
	clear(plain[n:])
	l.point()
	l.count++
	Erasing(func() { sealed = l.aead.Seal(plain[:0], l.nonce[:], plain, nil) })
	return sealed, nil
}

// Open opens one record in place and returns its plaintext, Plain bytes. A forged one is lost, and
// leaves the lane as it was.
func (l *Lane) Open(sealed []byte) (plain []byte, err error) {
	if l.count >= wear {
		return nil, ErrWorn
	}
	if len(sealed) != Size {
		return nil, ErrForged
	}
	l.point()
	Erasing(func() { plain, err = l.aead.Open(sealed[:0], l.nonce[:], sealed, nil) })
	if err != nil {
		return nil, ErrForged
	}
	l.count++
	return plain, nil
}

// point writes the counter into the nonce, as the Noise specification does for ChaChaPoly.
func (l *Lane) point() { binary.LittleEndian.PutUint64(l.nonce[4:], l.count) }
