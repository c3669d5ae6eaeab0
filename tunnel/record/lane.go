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

// HalfWorn reports whether the key has served for 2^31 records, half of what it may: it is time to
// renew it, whatever else.
func (l *Lane) HalfWorn() bool { return l.count >= wear/2 }

// Seal pads plain with zeros and seals it in place. plain must have capacity Size; the record that
// is returned begins where plain begins.
func (l *Lane) Seal(plain []byte) (sealed []byte, err error) {
	sealed = plain[:Size]
	return sealed, l.SealRun(sealed, len(plain))
}

// SealRun seals a row of records in place, which costs less than one by one. run is Size bytes for
// each of filled, of which the first that many are frames; the others are overwritten.
func (l *Lane) SealRun(run []byte, filled ...int) (err error) {
	if l.count+uint64(len(filled)) > wear {
		return ErrWorn
	}
	Erasing(func() {
		for i, n := range filled {
			plain := run[i*Size:][:Plain]
			clear(plain[n:])
			l.point()
			l.count++
			l.aead.Seal(plain[:0], l.nonce[:], plain, nil)
		}
	})
	return nil
}

// Open opens one record in place and returns its plaintext, Plain bytes. A forged one is lost, and
// leaves the lane as it was.
func (l *Lane) Open(sealed []byte) (plain []byte, err error) {
	Erasing(func() { plain, err = l.open(sealed) })
	return plain, err
}

// OpenRun opens records in place, as many as lie whole in run but at most most, and appends their
// frames to dst. It ends early after a record with a Switch, because what follows is under another
// key. It returns how many bytes of run it has dealt with; on error frames of the records before
// the faulty one.
func (l *Lane) OpenRun(dst []Frame, run []byte, most int) (frames []Frame, n int, err error) {
	Erasing(func() {
		for ; most > 0 && len(run)-n >= Size; most-- {
			var plain []byte
			if plain, err = l.open(run[n : n+Size]); err != nil {
				return
			}
			before := len(dst)
			if dst, err = Parse(dst, plain); err != nil {
				dst = dst[:before]
				return
			}
			n += Size
			for _, f := range dst[before:] {
				if f.Kind == Switch {
					return
				}
			}
		}
	})
	return dst, n, err
}

// open is Open, called where temporary storage is erased.
func (l *Lane) open(sealed []byte) ([]byte, error) {
	if l.count >= wear {
		return nil, ErrWorn
	}
	if len(sealed) != Size {
		return nil, ErrForged
	}
	l.point()
	plain, err := l.aead.Open(sealed[:0], l.nonce[:], sealed, nil)
	if err != nil {
		return nil, ErrForged
	}
	l.count++
	return plain, nil
}

// point writes the counter into the nonce, as the Noise specification does for ChaChaPoly.
func (l *Lane) point() { binary.LittleEndian.PutUint64(l.nonce[4:], l.count) }
