// A queue of bytes that grows as it is used; its users bound it.

package mux

import "math/bits"

// A ring holds size bytes beginning at head, wrapping at the end of buf. Its zero value is empty.
type ring struct {
	buf        []byte // length a power of two, or nil
	head, size int
}

// push appends b.
func (r *ring) push(b []byte) {
	if need := r.size + len(b); need > len(r.buf) {
		grown := make([]byte, max(512, 1<<bits.Len(uint(need-1))))
		n := r.peek(grown)
		r.buf, r.head, r.size = grown, 0, n
	}
	tail := (r.head + r.size) & (len(r.buf) - 1)
	n := copy(r.buf[tail:], b)
	copy(r.buf, b[n:])
	r.size += len(b)
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

// pop moves the first bytes into b. An emptied ring gives its memory back once it has grown.
func (r *ring) pop(b []byte) int {
	n := r.peek(b)
	r.size -= n
	if r.size == 0 && len(r.buf) > firstWindow {
		*r = ring{}
		return n
	}
	if n > 0 {
		r.head = (r.head + n) & (len(r.buf) - 1)
	}
	return n
}
