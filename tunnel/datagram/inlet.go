// What has come and waits to be received: datagrams in the rows that they came in.

package datagram

import (
	"context"
	"sync"

	"nightjar/tunnel/batch"
	"nightjar/tunnel/packet"
	"nightjar/tunnel/share"
)

// smallRow is room for a few packets, so that voice does not hold a whole row's room each time.
const smallRow = worth * packet.MaxBody

// A Row is datagrams that came together. They may be read and changed until Release.
type Row struct {
	// Datagrams is each of them.
	Datagrams [][]byte

	room *[]byte // that they lie in
	from *pools
}

// Release gives the row's memory back. It must be called once, and the row not be used after.
func (r *Row) Release() {
	p := r.from
	if len(*r.room) == batch.MaxRow {
		p.large.Put(r.room)
	} else {
		p.small.Put(r.room)
	}
	clear(r.Datagrams)
	r.Datagrams, r.room = r.Datagrams[:0], nil
	p.rows.Put(r)
}

// pools lend memory for rows, so that idle sessions have none.
type pools struct{ large, small, rows sync.Pool }

// room is memory for n bytes of datagrams.
func (p *pools) room(n int) *[]byte {
	pool, size := &p.large, batch.MaxRow
	if n <= smallRow {
		pool, size = &p.small, smallRow
	}
	if b, ok := pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, size)
	return &b
}

// row is a row of datagrams that lie in room.
func (p *pools) row(room *[]byte, datagrams ...[]byte) *Row {
	r, ok := p.rows.Get().(*Row)
	if !ok {
		r = &Row{from: p}
	}
	r.room = room
	r.Datagrams = append(r.Datagrams, datagrams...)
	return r
}

// copied is a row of copies, whose lengths are at most batch.MaxRow together.
func (p *pools) copied(datagrams ...[]byte) *Row {
	n := 0
	for _, d := range datagrams {
		n += len(d)
	}
	r := p.row(p.room(n))
	free := *r.room
	for _, d := range datagrams {
		n := copy(free, d)
		r.Datagrams = append(r.Datagrams, free[:n:n])
		free = free[n:]
	}
	return r
}

// An inlet is rows that wait. When they hold too much the oldest are dropped.
type inlet struct {
	limit int           // bytes of memory
	own   int           // bytes that need no loan
	ready chan struct{} // holds one when something may wait

	mu    sync.Mutex
	rows  []*Row // a ring once it has grown
	head  int
	count int
	taken int // of the first row
	bytes int
	loan  share.Loan
	shut  bool
}

func newInlet(limit, own int, stock *share.Stock) *inlet {
	return &inlet{limit: limit, own: own, loan: share.Loan{Stock: stock},
		ready: make(chan struct{}, 1)}
}

// put adds a row and tells one who waits. What there is no memory for at all is dropped.
func (i *inlet) put(r *Row) {
	i.mu.Lock()
	for i.count > 0 && !i.fits(len(*r.room)) {
		i.shift().Release()
	}
	if i.shut || !i.fits(len(*r.room)) {
		i.mu.Unlock()
		r.Release()
		return
	}
	if i.count == len(i.rows) {
		i.rows = append(append(make([]*Row, 0, 2*i.count+4), i.rows[i.head:]...),
			i.rows[:i.head]...)
		i.rows, i.head = i.rows[:cap(i.rows)], 0
	}
	i.rows[(i.head+i.count)%len(i.rows)] = r
	i.count++
	i.bytes += len(*r.room)
	i.mu.Unlock()
	signal(i.ready)
}

// fits reports whether n bytes more may wait, and has borrowed for them if so.
func (i *inlet) fits(n int) bool {
	return i.bytes+n <= i.limit && i.loan.Fit(max(0, i.bytes+n-i.own))
}

// close takes nothing more and pays back. What waits may still be received.
func (i *inlet) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.shut, i.own = true, i.limit
	i.loan.Fit(0)
}

// shift removes the first row.
func (i *inlet) shift() *Row {
	r := i.rows[i.head]
	i.rows[i.head] = nil
	i.head = (i.head + 1) % len(i.rows)
	i.bytes -= len(*r.room)
	i.loan.Fit(max(0, i.bytes-i.own))
	if i.taken > 0 {
		r.Datagrams = r.Datagrams[:copy(r.Datagrams, r.Datagrams[i.taken:])]
		i.taken = 0
	}
	if i.count--; i.count == 0 && len(i.rows) > 64 {
		i.rows, i.head = nil, 0
	}
	return r
}

// row returns the first row, or nil.
func (i *inlet) row() *Row {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.count == 0 {
		return nil
	}
	return i.shift()
}

// pop moves the first datagrams into dst, as far as their capacity goes, and returns how many.
func (i *inlet) pop(dst ...[]byte) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := 0
	for n < len(dst) && i.count > 0 {
		d := i.next()
		dst[n] = dst[n][:min(len(d), cap(dst[n]))]
		copy(dst[n], d)
		i.drop()
		n++
	}
	return n
}

// one returns the first datagram in memory of its own.
func (i *inlet) one() (b []byte, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.count == 0 {
		return nil, false
	}
	b = append([]byte{}, i.next()...)
	i.drop()
	return b, true
}

// next is the first datagram.
func (i *inlet) next() []byte { return i.rows[i.head].Datagrams[i.taken] }

// drop removes the first datagram.
func (i *inlet) drop() {
	if i.taken++; i.taken == len(i.rows[i.head].Datagrams) {
		i.taken = 0
		r := i.shift()
		r.Release()
	}
}

// waiting is how many datagrams wait.
func (i *inlet) waiting() (n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for at := range i.count {
		n += len(i.rows[(i.head+at)%len(i.rows)].Datagrams)
	}
	return n - i.taken
}

// empty reports whether nothing waits.
func (i *inlet) empty() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.count == 0
}

// wait returns when something may have come, or with the reason why nothing will. Who takes what
// came leaves the token to the next if there may be more.
func (i *inlet) wait(ctx context.Context, c *Conn) error {
	select {
	case <-i.ready:
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
