// The two ends of one direction: the sealing of packets, and their opening in whatever order they
// come.

package packet

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"
)

// wear is how many packets one key seals at most; a session renews its keys long before.
const wear = 1 << 32

// Keys are the secrets of one direction of one epoch, each used for nothing else.
type Keys struct {
	Body [32]byte // seals bodies
	Mask [32]byte // hides numbers
}

// lane is what both ends have. Its scratch lies here so that no packet allocates.
type lane struct {
	aead  cipher.AEAD
	mask  cipher.Block
	nonce [chacha20poly1305.NonceSize]byte
	block [aes.BlockSize]byte
}

func newLane(k Keys) (l lane, err error) {
	if l.aead, err = chacha20poly1305.New(k.Body[:]); err != nil {
		return l, err
	}
	l.mask, err = aes.NewCipher(k.Mask[:])
	return l, err
}

// hide is the mask of the packet that wire is.
func (l *lane) hide(wire []byte) uint64 {
	l.mask.Encrypt(l.block[:], wire[len(wire)-tagSize:])
	return binary.BigEndian.Uint64(l.block[:])
}

// A Sealer is the sending end. It is not safe for concurrent use. Sealing works on keys: callers
// do it where temporary storage is erased (record.Erasing).
type Sealer struct {
	lane
	count uint64
}

// NewSealer makes the sending end. It, too, must be called where temporary storage is erased.
func NewSealer(k Keys) (*Sealer, error) {
	l, err := newLane(k)
	if err != nil {
		return nil, err
	}
	return &Sealer{lane: l}, nil
}

// Count is how many packets have been sealed.
func (s *Sealer) Count() uint64 { return s.count }

// Seal makes wire, whose length is a size of packets, the packet of body under id. body, at most
// len(wire) - Overhead bytes, must not lie in wire.
func (s *Sealer) Seal(wire []byte, id uint64, k Kind, body []byte) error {
	if s.count >= wear {
		return ErrWorn
	}
	plain := wire[headerSize : len(wire)-tagSize]
	n := len(body)
	if n < len(plain) {
		copy(plain, body)
		clear(plain[n:])
		body = plain
	}
	number := Number{k, n, s.count}.encode()
	s.count++
	binary.BigEndian.PutUint64(s.nonce[4:], number)
	s.aead.Seal(plain[:0], s.nonce[:], body, nil)
	binary.LittleEndian.PutUint64(wire, id)
	binary.BigEndian.PutUint64(wire[IDSize:], number^s.hide(wire))
	return nil
}

// An Opener is the receiving end. It is not safe for concurrent use.
type Opener struct {
	lane
	seen window
}

// NewOpener makes the receiving end. Like Sealer's, its calls belong where storage is erased.
func NewOpener(k Keys) (*Opener, error) {
	l, err := newLane(k)
	if err != nil {
		return nil, err
	}
	return &Opener{lane: l}, nil
}

// Open opens a packet in place. newest reports whether its counter is above all before it. What is
// forged, malformed or has come before is ErrForged, and changes nothing.
func (o *Opener) Open(wire []byte) (k Kind, body []byte, newest bool, err error) {
	if !Sized(len(wire)) {
		return 0, nil, false, ErrForged
	}
	number := binary.BigEndian.Uint64(wire[IDSize:]) ^ o.hide(wire)
	n := decode(number)
	if n.Kind >= kinds || n.Length > len(wire)-Overhead || n.Count >= wear {
		return 0, nil, false, ErrForged // wrong mask: no need to open
	}
	binary.BigEndian.PutUint64(o.nonce[4:], number)
	plain, err := o.aead.Open(wire[headerSize:headerSize], o.nonce[:], wire[headerSize:], nil)
	if err != nil {
		return 0, nil, false, ErrForged
	}
	fresh, newest := o.seen.admit(n.Count)
	if !fresh {
		return 0, nil, false, ErrForged
	}
	return n.Kind, plain[:n.Length], newest, nil
}
