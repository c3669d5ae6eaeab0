// A queue of bytes that grows as it is used; its users bound it.

package mux

import "math/bits"

// A ring holds size bytes beginning at head, wrapping at the end of buf. Its zero value is empty.
type ring struct {
	buf        []byte // length a power of two, or nil
	head, size int
	peak       int // most that was held since it was last empty
	calm       int // times in a row that a quarter of buf would have done
}

// calmTimes is how often a ring is emptied before it gives back memory that it did not need.
const calmTimes = 64

// push appends b.
func (r *ring) push(b []byte) {
	if need := r.size + len(b); need > len(r.buf) {
		grown := make([]byte, max(512, 1<<bits.Len(uint(need-1))))
		n := r.peek(grown)
		r.buf, r.head, r.size, r.calm = grown, 0, n, 0
	}
	tail := (r.head + r.size) & (len(r.buf) - 1)
	n := copy(r.buf[tail:], b)
	copy(r.buf, b[n:])
	r.size += len(b)
	r.peak = max(r.peak, r.size)
}

// peek copies the first bytes into b without removing them.
func (r *ring) peek(b []byte) int {
	b = b[:min(len(b), r.size)]
	if len(b) == 0 {
		return 0
	}
	n := copy(b, r.buf[r.head:])
	copy(b[n:], r.buf)
	return len(b)
}

// pop moves the first bytes into b.
func (r *ring) pop(b []byte) int {
	n := r.peek(b)
	if n == 0 {
		return 0
	}
	r.head = (r.head + n) & (len(r.buf) - 1)
	r.size -= n
	if r.size == 0 {
		r.settle()
	}
	return n
}

// settle looks, each time the ring is empty, whether it is larger than it needs to be.
func (r *ring) settle() {
	r.calm++
	if r.peak > len(r.buf)/4 {
		r.calm = 0
	}
	r.head, r.peak = 0, 0
	if r.calm > calmTimes {
		*r = ring{}
	}
}
