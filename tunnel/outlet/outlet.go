// Package outlet is where the packets of a session leave: it seals them in rows and hands the rows
// to the carrier, at once or when the session's clock allows. It knows nothing of what the packets
// say or of who receives them.
package outlet

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"

	"nightjar/tunnel/batch"
	"nightjar/tunnel/packet"
	"nightjar/tunnel/record"
)

const (
	// latest is how many datagrams wait for a clock: more would only be late.
	latest      = 4
	mostTurns   = 30 // ids beyond the one that is known to have come: 32 are looked for
	clockBytes  = 8 << 10
	streamBytes = 256 << 10 // of stream packets that wait for a clock
)

// Errors.
var (
	ErrTooLong = errors.New("datagram does not fit a packet")
	ErrShut    = errors.New("session has no keys any more")
)

// Rows lends room for rows of packets, so that idle sessions have none.
type Rows struct{ pool sync.Pool }

func (r *Rows) get() *[batch.MaxRow]byte {
	if b, ok := r.pool.Get().(*[batch.MaxRow]byte); ok {
		return b
	}
	return new([batch.MaxRow]byte)
}

// Keys are what packets are sealed under, and the ids that the far side finds them by: one for
// each address that either side has had under these keys.
type Keys struct {
	Sealer *packet.Sealer
	IDs    packet.IDs
}

// An Outlet is where packets leave. It is safe for concurrent use.
type Outlet struct {
	carrier *batch.Carrier
	rows    *Rows

	mu    sync.Mutex
	keys  Keys
	way   uint64 // which id
	known uint64 // the newest that the far side is known to have seen
	to    netip.AddrPort
	row   *[batch.MaxRow]byte // borrowed while used bytes of it wait
	used  int
	size  int // of each packet in the row
	clock int // size of each packet while a clock runs, or 0
	sent  atomic.Bool

	datagrams, streams Queue // that wait for the clock
}

// New makes an outlet without keys.
func New(c *batch.Carrier, r *Rows, to netip.AddrPort) *Outlet {
	return &Outlet{carrier: c, rows: r, to: to,
		datagrams: Queue{Bytes: clockBytes, Count: latest}, streams: Queue{Bytes: streamBytes}}
}

// Rekey goes on with other keys. Without a Sealer nothing leaves any more.
func (o *Outlet) Rekey(k Keys) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.keys, o.way, o.known = k, 0, 0
}

// Known is told that the far side has seen the id of that number, or a later one.
func (o *Outlet) Known(number uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if number <= o.way {
		o.known = max(o.known, number)
	}
}

// Move sends packets elsewhere from now on, under the next id. It returns the number of that and
// whether anything changed.
func (o *Outlet) Move(to netip.AddrPort) (number uint64, moved bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if to == o.to {
		return o.way, false
	}
	o.flush()
	o.to = to
	o.turn()
	return o.way, true
}

// Turn goes on with the next id, so that packets from this side's next address do not bear the
// id of those from its last one. It returns the number of the id.
func (o *Outlet) Turn() (number uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.turn()
	return o.way
}

// turn takes the next id, unless the far side could then no longer find it.
func (o *Outlet) turn() {
	if o.way < o.known+mostTurns {
		o.way++
	}
}

// SetClock has packets wait for Tick, all of the same size; or leave as they come, with size 0.
func (o *Outlet) SetClock(size int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.clock = size
	if size > 0 {
		return
	}
	for _, q := range []*Queue{&o.datagrams, &o.streams} {
		for b, ok := q.Next(packet.MaxBody); ok; b, ok = q.Next(packet.MaxBody) {
			kind := packet.Datagram
			if q == &o.streams {
				kind = packet.Stream
			}
			o.put(kind, b)
		}
	}
	o.flush()
}

// Sent reports whether a packet has left since it was asked last.
func (o *Outlet) Sent() bool { return o.sent.Swap(false) }

// Count is how many packets the keys have sealed.
func (o *Outlet) Count() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keys.Sealer == nil {
		return 0
	}
	return o.keys.Sealer.Count()
}

// Datagrams sends one packet for each datagram, in rows. While a clock runs they wait for it, and
// when too many wait the oldest are dropped.
func (o *Outlet) Datagrams(all ...[]byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, b := range all {
		if len(b) > packet.MaxBody || o.clock > 0 && len(b) > room(o.clock) {
			return ErrTooLong
		}
	}
	if o.clock > 0 {
		o.datagrams.Push(all...)
		return nil
	}
	for len(all) > 0 {
		n, err := o.fill(packet.Datagram, all)
		o.flush()
		if err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// room is how long a datagram may be in a packet of a clock.
func room(size int) int { return size - packet.Overhead - packet.Frame{Type: packet.Data}.Size() }

// Stream takes a packet of streams, to leave with the row it fills or at the next Flush.
func (o *Outlet) Stream(b []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.clock > 0 {
		o.streams.Push(b)
		return nil
	}
	return o.put(packet.Stream, b)
}

// Send sends one packet at once: in a clock's size while one runs.
func (o *Outlet) Send(k packet.Kind, body []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.put(k, body)
	o.flush()
	return err
}

// Flush sends what has been put into a row.
func (o *Outlet) Flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
}

// Gather appends what waits for the clock, as frames, while it fits into limit bytes.
func (o *Outlet) Gather(b []byte, limit int) []byte {
	for {
		header := packet.Frame{Type: packet.Data}.Size()
		body, ok := o.datagrams.Next(limit - len(b) - header)
		if !ok {
			return b
		}
		b = packet.Frame{Type: packet.Data, Body: body}.Append(b)
	}
}

// Streaming returns a packet of streams that waits for the clock. Those that are longer than
// limit can never leave by this clock, and are dropped.
func (o *Outlet) Streaming(limit int) ([]byte, bool) {
	for {
		b, ok := o.streams.Next(packet.MaxBody)
		if !ok || len(b) <= limit {
			return b, ok
		}
	}
}

// put seals a packet into the row, which leaves first if this one does not fit it.
func (o *Outlet) put(k packet.Kind, body []byte) error {
	one := [1][]byte{body}
	n, err := o.fill(k, one[:])
	if n == 0 && err == nil {
		o.flush()
		_, err = o.fill(k, one[:])
	}
	return err
}

// fill seals as many packets as fit into the row, and returns how many.
func (o *Outlet) fill(k packet.Kind, all [][]byte) (n int, err error) {
	if o.keys.Sealer == nil {
		return 0, ErrShut
	}
	if o.row == nil {
		o.row = o.rows.get()
	}
	id := o.keys.IDs.At(o.way)
	record.Erasing(func() {
		for n < len(all) && err == nil {
			size := o.fit(len(all[n]))
			if size == 0 {
				return
			}
			err = o.keys.Sealer.Seal(o.row[o.used:o.used+size], id, k, all[n])
			if err == nil {
				o.used += size
				n++
			}
		}
	})
	return n, err
}

// fit is the size of the next packet, or 0 if it does not fit the row.
func (o *Outlet) fit(n int) int {
	size := packet.Fit(n)
	if o.clock > 0 {
		size = o.clock
	}
	if o.used == 0 {
		o.size = size
	}
	most := min(batch.MaxCount*size, batch.MaxSent)
	if size != o.size || o.used+size > most {
		return 0
	}
	return size
}

// flush hands the row to the carrier. What it does not take is lost, as on the way.
func (o *Outlet) flush() {
	if o.row == nil {
		return
	}
	if o.used > 0 {
		o.carrier.Send(o.row[:o.used], o.size, o.to)
		o.used = 0
		o.sent.Store(true)
	}
	o.rows.pool.Put(o.row)
	o.row = nil
}
