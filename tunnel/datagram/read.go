// The one goroutine that reads the carrier: packets in, to the sessions whose ids they bear.

package datagram

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"runtime"

	"nightjar/tunnel/batch"
	"nightjar/tunnel/knock"
	"nightjar/tunnel/packet"
	"nightjar/tunnel/record"
)

// failures is how many errors in a row of the carrier are passed over: some systems report that an
// earlier datagram was refused.
const failures = 16

// worth is from how many packets on a row is handed on without copying.
const worth = 8

// A reader opens what comes. What is opened together is handed on together.
type reader struct {
	e    *Endpoint
	buf  *[]byte
	lane *lane // of the packet before

	opened    []opened
	strange   [][]byte // belong to no session
	datagrams [][]byte
	streams   [][]byte
}

// opened is one packet of a row.
type opened struct {
	lane   *lane
	kind   packet.Kind
	newest bool
	body   []byte
}

// run reads until the carrier ends.
func (r *reader) run() {
	defer r.e.broken()
	for bad := 0; bad < failures; {
		n, size, from, err := r.e.carrier.Receive(*r.buf)
		switch {
		case errors.Is(err, net.ErrClosed), errors.Is(err, batch.ErrCarrier):
			return
		case err != nil:
			bad++
			continue
		}
		bad = 0
		r.row((*r.buf)[:n], size, from)
	}
}

// row takes datagrams of equal size from one address.
func (r *reader) row(b []byte, size int, from netip.AddrPort) {
	r.lane, r.opened, r.strange = nil, r.opened[:0], r.strange[:0]
	record.Erasing(func() { r.open(b, size) })
	for _, wire := range r.strange {
		r.stranger(wire, from)
	}
	for i := 0; i < len(r.opened); {
		i = r.deliver(i, from)
	}
	runtime.Gosched() // who waits for this goes on now, not when nothing comes any more
}

// find looks for the lane that id belongs to; most often it is that of the packet before.
func (r *reader) find(id uint64) bool {
	if l := r.lane; l != nil && l.proved && l.newest == id {
		return true
	}
	r.lane = r.e.lanes.find(id)
	return r.lane != nil
}

// open opens the packets of a row that belong to sessions.
func (r *reader) open(b []byte, size int) {
	for len(b) > 0 {
		wire := b[:min(size, len(b))]
		if b = b[len(wire):]; len(wire) < packet.IDSize || !r.find(packet.ID(wire)) {
			r.strange = append(r.strange, wire)
			continue
		}
		kind, body, newest, err := r.lane.opener.Open(wire)
		if err != nil {
			continue
		}
		if id := packet.ID(wire); newest && r.lane.newest != id {
			r.lane.newest = id
			r.e.lanes.came(r.lane, id)
		}
		r.opened = append(r.opened, opened{r.lane, kind, newest, body})
	}
}

// stranger leaves what belongs to no session to be looked at for a knock.
func (r *reader) stranger(wire []byte, from netip.AddrPort) {
	if len(wire) != knock.PieceSize || len(r.e.knocks) == cap(r.e.knocks) {
		return
	}
	r.e.knocks <- candidate{bytes.Clone(wire), from} // nobody else fills it
}

// deliver hands on what was opened from i on for the same lane, and returns what follows.
func (r *reader) deliver(i int, from netip.AddrPort) int {
	first, l, newest := i, r.opened[i].lane, false
	r.datagrams, r.streams = r.datagrams[:0], r.streams[:0]
	if !l.proved {
		l.proved = true
		l.conn.proved(l)
	}
	for ; i < len(r.opened) && r.opened[i].lane == l; i++ {
		o := &r.opened[i]
		newest = newest || o.newest
		switch {
		case o.kind == packet.Datagram:
			r.datagrams = append(r.datagrams, o.body)
		case o.kind == packet.Stream:
			r.streams = append(r.streams, o.body)
		case o.kind == packet.Control && !l.late.Load():
			r.datagrams = l.conn.take(o.body, r.datagrams)
		}
	}
	whole := i-first == len(r.opened) // nobody else has packets in this row
	if f := l.conn.handler.Load(); f != nil && len(r.datagrams) > 0 {
		l.conn.use()
		(*f)(r.datagrams)
		r.datagrams = r.datagrams[:0]
	}
	l.conn.received(r.gather(r.datagrams, whole && len(r.streams) == 0),
		r.gather(r.streams, whole && len(r.datagrams) == 0))
	if newest && !l.late.Load() {
		l.conn.from(from)
	}
	return i
}

// gather makes a row of bodies: of copies, or, if it is worth it and there is nothing else in the
// reader's room, of that room itself.
func (r *reader) gather(bodies [][]byte, whole bool) *Row {
	p := &r.e.pools
	switch {
	case len(bodies) == 0:
		return nil
	case whole && len(bodies) >= worth:
		row := p.row(r.buf, bodies...)
		r.buf = p.room(batch.MaxRow)
		return row
	}
	return p.copied(bodies...)
}
