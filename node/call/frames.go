// Which audio frames leave, and which have come before.

package call

import "nightjar/node/talk"

const (
	waiting = 6 // frames that may wait to leave: 120 ms, then the oldest go
	history = 6 // frames already sent that are repeated while there is room
)

// outbound is the audio that is to leave, and the frames that just left. Not safe by itself.
type outbound struct {
	next []talk.Frame
	past []talk.Frame
}

func (o *outbound) push(f talk.Frame) {
	o.next = append(o.next, f)
	if len(o.next) > waiting {
		o.next = o.next[1:]
	}
}

// pack makes the next datagram: new frames first in rank, then as many old ones as fit. It
// returns nil when there is nothing new to say.
func (o *outbound) pack() []byte {
	n, size := 0, 0
	for n < len(o.next) {
		size += 3 + len(o.next[n].Payload)
		if size > talk.MaxMedia {
			break
		}
		n++
	}
	if n == 0 {
		return nil
	}
	batch := append(o.past[:len(o.past):len(o.past)], o.next[:n]...)
	o.next = append([]talk.Frame(nil), o.next[n:]...)
	if o.past = batch; len(batch) > history {
		o.past = batch[len(batch)-history:]
	}
	return talk.PackMedia(batch)
}

// window remembers which of the last 64 sequence numbers came.
type window struct {
	top  uint16
	bits uint64
	any  bool
}

// first reports whether seq comes for the first time. Anything 64 or more behind the newest is
// too late to be heard and counts as seen.
func (w *window) first(seq uint16) bool {
	if !w.any {
		w.any, w.top, w.bits = true, seq, 1
		return true
	}
	ahead := int16(seq - w.top)
	if ahead > 0 {
		if ahead >= 64 {
			w.bits = 0
		} else {
			w.bits <<= uint(ahead)
		}
		w.bits |= 1
		w.top = seq
		return true
	}
	back := uint(-int(ahead))
	if back >= 64 || w.bits&(1<<back) != 0 {
		return false
	}
	w.bits |= 1 << back
	return true
}
