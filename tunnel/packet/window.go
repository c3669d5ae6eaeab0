// The counters that have come: which are new, and which were here before.

package packet

// reach is how far behind the newest a packet may come and still be taken.
const reach = 4096

// A window remembers counters. Its zero value has seen none.
type window struct {
	next uint64                 // one above the highest
	bits [2 * reach / 64]uint64 // a ring; what lies behind reach is stale
}

// admit remembers n and reports whether it is fresh: neither seen before nor too old to know. It
// is asked only once a packet has opened. newest reports that n is above all before it.
func (w *window) admit(n uint64) (fresh, newest bool) {
	word, bit := n/64%uint64(len(w.bits)), uint64(1)<<(n%64)
	if n >= w.next {
		w.slide(n)
		w.bits[word] |= bit
		w.next = n + 1
		return true, true
	}
	if w.next-n > reach || w.bits[word]&bit != 0 {
		return false, false
	}
	w.bits[word] |= bit
	return true, false
}

// slide empties the words between the highest so far and n.
func (w *window) slide(n uint64) {
	from, to := (w.next+63)/64, n/64
	if to >= from+uint64(len(w.bits)) {
		from = to + 1 - uint64(len(w.bits))
	}
	for at := from; at <= to; at++ {
		w.bits[at%uint64(len(w.bits))] = 0
	}
}
