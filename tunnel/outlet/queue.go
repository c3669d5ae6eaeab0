// A queue of datagrams that knows its bound: when it is full the oldest make room.

package outlet

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

const (
	prefix = 2 // length before each datagram
	least  = 4 << 10
	calm   = 64 // times in a row that a quarter of the room would have done
)

// A Queue holds datagrams in a ring of bytes that grows as it is used and is given back when it
// is not. It is safe for concurrent use.
type Queue struct {
	Bytes int // most bytes it may hold, a power of two; immutable once in use
	Count int // most datagrams, or 0 for any number; immutable once in use

	mu         sync.Mutex
	ring       []byte // length a power of two, or nil
	head, size int
	count      int
	peak, idle int
}

// Push adds copies of datagrams, each at most 65535 bytes.
func (q *Queue) Push(all ...[]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range all {
		q.push(b)
	}
}

func (q *Queue) push(b []byte) {
	need := prefix + len(b)
	for q.count > 0 && (q.size+need > q.Bytes || q.Count > 0 && q.count == q.Count) {
		q.drop()
	}
	if need > q.Bytes {
		return
	}
	if q.size+need > len(q.ring) {
		q.grow(q.size + need)
	}
	var n [prefix]byte
	binary.BigEndian.PutUint16(n[:], uint16(len(b)))
	q.write(q.size, n[:])
	q.write(q.size+prefix, b)
	q.size += need
	q.count++
	q.peak = max(q.peak, q.size)
}

// Pop moves the oldest datagrams into dst, whose elements' capacity must hold them, and returns
// how many. An element is cut to its datagram; a datagram that is longer is cut as well.
func (q *Queue) Pop(dst ...[]byte) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for ; n < len(dst) && q.count > 0; n++ {
		size := min(q.next(), cap(dst[n]))
		dst[n] = dst[n][:size]
		q.read(prefix, dst[n])
		q.drop()
	}
	return n
}

// Next returns the oldest datagram in memory of its own, if it is at most room bytes.
func (q *Queue) Next(room int) (b []byte, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == 0 || q.next() > room {
		return nil, false
	}
	b = make([]byte, q.next())
	q.read(prefix, b)
	q.drop()
	return b, true
}

// Len is how many datagrams wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

// next is the length of the oldest datagram.
func (q *Queue) next() int {
	var n [prefix]byte
	q.read(0, n[:])
	return int(binary.BigEndian.Uint16(n[:]))
}

// drop removes the oldest datagram.
func (q *Queue) drop() {
	n := prefix + q.next()
	q.head = (q.head + n) & (len(q.ring) - 1)
	q.size -= n
	if q.count--; q.count > 0 {
		return
	}
	q.idle++
	if q.peak > len(q.ring)/4 {
		q.idle = 0
	}
	if q.head, q.peak = 0, 0; q.idle > calm {
		q.ring, q.idle = nil, 0
	}
}

func (q *Queue) grow(need int) {
	ring := make([]byte, max(least, 1<<bits.Len(uint(need-1))))
	q.read(0, ring[:q.size])
	q.ring, q.head, q.idle = ring, 0, 0
}

// write copies b to offset at behind head.
func (q *Queue) write(at int, b []byte) {
	n := copy(q.ring[(q.head+at)&(len(q.ring)-1):], b)
	copy(q.ring, b[n:])
}

// read copies from offset at behind head into b.
func (q *Queue) read(at int, b []byte) {
	if len(b) == 0 {
		return
	}
	n := copy(b, q.ring[(q.head+at)&(len(q.ring)-1):])
	copy(b[n:], q.ring)
}
