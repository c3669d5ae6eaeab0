// What QUIC is given to carry: never what is said, but that under a key of the session. QUIC keeps
// bytes of streams, and its own keys, in memory that nobody erases; there they say nothing once the
// session's keys are gone.

package bulk

import (
	"encoding/binary"

	"nightjar/tunnel/record"

	"golang.org/x/crypto/chacha20"
)

const (
	// segment is how many bytes one nonce is good for: as many as ChaCha20 counts blocks of.
	segment   = 64 << 32
	blockSize = 64
)

// A veil is ChaCha20 over one direction of one stream:
//
//	nonce   stream id 8 | segment 4, the number of its 2^38 bytes
//
// It hides and does not authenticate: whoever could change a byte has no way to a packet's inside.
type veil struct {
	key    *[32]byte
	stream uint64

	offset uint64 // of the next byte
	cipher *chacha20.Cipher
}

// cover hides src, or shows it again, in dst, which may be the same; the next call goes on behind
// it.
func (v *veil) cover(dst, src []byte) {
	record.Erasing(func() {
		for len(src) > 0 {
			if v.cipher == nil || v.offset%segment == 0 {
				v.seek(v.offset)
			}
			n := int(min(uint64(len(src)), segment-v.offset%segment))
			v.cipher.XORKeyStream(dst[:n], src[:n])
			v.offset += uint64(n)
			dst, src = dst[n:], src[n:]
		}
	})
}

// back returns to before the last n bytes, which did not leave.
func (v *veil) back(n int) {
	v.offset -= uint64(n)
	v.cipher = nil
}

// seek makes the cipher that goes on from an offset.
func (v *veil) seek(offset uint64) {
	var nonce [chacha20.NonceSize]byte
	binary.BigEndian.PutUint64(nonce[:], v.stream)
	binary.BigEndian.PutUint32(nonce[8:], uint32(offset/segment))
	cipher, err := chacha20.NewUnauthenticatedCipher(v.key[:], nonce[:])
	if err != nil {
		panic("bulk: veil: " + err.Error()) // of a wrong size
	}
	within := offset % segment
	cipher.SetCounter(uint32(within / blockSize))
	var skip [blockSize]byte
	cipher.XORKeyStream(skip[:within%blockSize], skip[:within%blockSize])
	v.cipher = cipher
}
