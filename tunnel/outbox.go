// What waits to be sent besides streams: datagrams, and the messages that renew the keys.

package tunnel

import (
	"sync"
	"sync/atomic"

	"nightjar/tunnel/record"
)

// queued is how many datagrams wait in each direction before the oldest is dropped.
const queued = 64

// An outbox is filled by anybody and emptied by write.
type outbox struct {
	mu      sync.Mutex
	slots   [][]byte // datagrams; the buffers are used again
	head, n int
	control []control
	waiting atomic.Int32 // datagrams and controls, so that an empty outbox costs no lock
}

// A control is a renewal message to be sent in pieces, then the lane that sealing goes on with; it
// may lack either. At most two wait: the Switch of one renewal and the message of the next.
type control struct {
	message []byte
	next    *record.Lane
}

// push queues a datagram and drops the oldest of too many.
func (o *outbox) push(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n == queued {
		o.head = (o.head + 1) % queued
		o.n--
		o.waiting.Add(-1)
	}
	at := (o.head + o.n) % queued
	if at == len(o.slots) { // only before the first turn round
		o.slots = append(o.slots, nil)
	}
	o.slots[at] = append(o.slots[at][:0], b...)
	o.n++
	o.waiting.Add(1)
}

// post queues a control.
func (o *outbox) post(c control) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.control = append(o.control, c)
	o.waiting.Add(1)
}

// pending reports whether anything waits.
func (o *outbox) pending() bool { return o.waiting.Load() > 0 }

// fillDatagrams appends whole datagrams while they fit.
func (o *outbox) fillDatagrams(plain []byte) []byte {
	if !o.pending() {
		return plain
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.n > 0 && len(o.slots[o.head]) <= record.Left(plain) {
		plain = record.Append(plain, record.Datagram, o.slots[o.head]...)
		o.head = (o.head + 1) % queued
		o.n--
		o.waiting.Add(-1)
	}
	if o.n == 0 {
		o.head = 0 // so that few waiting never need many slots
	}
	return plain
}

// fillControl appends what fits of the first control. When it returns a lane, the record after
// this one is sealed under it.
func (o *outbox) fillControl(plain []byte) ([]byte, *record.Lane) {
	if !o.pending() {
		return plain, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.control) == 0 {
		return plain, nil
	}
	first := &o.control[0]
	if n := min(len(first.message), record.Left(plain)); n > 0 {
		plain = record.Append(plain, record.Renew, first.message[:n]...)
		first.message = first.message[n:]
	}
	next := first.next
	switch {
	case len(first.message) > 0, next != nil && record.Left(plain) < 0:
		return plain, nil
	case next != nil:
		plain = record.Append(plain, record.Switch)
	}
	o.control = append(o.control[:0], o.control[1:]...)
	o.waiting.Add(-1)
	return plain, next
}
