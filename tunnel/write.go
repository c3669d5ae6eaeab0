// The one goroutine that writes to the carrier, and the clock it keeps.

package tunnel

import (
	"math/rand/v2"
	"time"

	"nightjar/tunnel/record"
)

const (
	// A batch is what one write takes. It grows while writes are quick, to save work, and shrinks
	// when they are slow: a datagram that comes while the carrier is busy waits behind one batch.
	smallBatch = 2 // records
	largeBatch = 64
	quick      = 2 * time.Millisecond
	slow       = 10 * time.Millisecond

	// fairness is how many records in a row may leave less than least bytes to what is not a
	// datagram, while anything waits.
	fairness = 16
	least    = 32
	// lastBatches bounds what Close still sends.
	lastBatches = 64
)

// A writer seals and writes records. When the session ends it closes the carrier.
type writer struct {
	c      *Conn
	lane   *record.Lane
	passed int // records in a row that datagrams filled
	batch  int // records
	buf    []byte
	filled []int // of a batch that is being made: bytes of frames in each record
}

// size makes room for a batch.
func (w *writer) size(batch int) {
	w.batch = min(max(batch, smallBatch), largeBatch)
	if len(w.buf) != w.batch*record.Size {
		w.buf = make([]byte, w.batch*record.Size)
	}
}

// run writes until the session ends. The side that dialled begins with a record at once: the far
// side waits for it.
func (w *writer) run() {
	defer w.c.carrier.Close()
	if err := w.loop(); err != nil {
		w.c.end(err)
	}
}

func (w *writer) loop() error {
	w.size(smallBatch)
	if w.c.initiator {
		if err := w.one(); err != nil {
			return err
		}
	}
	beat := time.NewTimer(pause())
	defer beat.Stop()
	var shape Shape
	var due time.Time // of the next record, while the shape has one wait
	for {
		wake := w.c.wake
		if shape.waits() {
			wake = nil
		}
		var err error
		select {
		case <-w.c.done:
			return nil
		case <-w.c.closing:
			return w.last(shape.waits())
		case shape = <-w.c.shape:
			due = w.next(beat, shape, time.Now())
			signal(w.c.wake)
		case <-beat.C:
			due = w.next(beat, shape, due)
			w.size(smallBatch)
			err = w.one()
		case <-wake:
			err = w.several()
			beat.Reset(pause())
		}
		if err != nil {
			return err
		}
	}
}

// next sets the timer for the record after the one that was due, and returns when that is.
func (w *writer) next(beat *time.Timer, s Shape, due time.Time) time.Time {
	if !s.waits() {
		beat.Reset(pause())
		return due
	}
	due = s.after(due, time.Now())
	beat.Reset(time.Until(due))
	return due
}

// pause is how long nothing is sent before a record of padding.
func pause() time.Duration {
	return heartbeat - heartbeatJitter + rand.N(2*heartbeatJitter)
}

// one writes a single record with whatever waits, or padding.
func (w *writer) one() error {
	sealed, err := w.seal(w.fill(w.buf[:0]))
	if err != nil {
		return err
	}
	return w.write(sealed)
}

// several writes one batch of what waits, and comes back for the rest.
func (w *writer) several() error {
	n, err := w.gather()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := w.write(w.buf[:n]); err != nil {
		return err
	}
	took := time.Since(start)
	if n == len(w.buf) {
		signal(w.c.wake)
		if took < quick {
			w.size(w.batch * 2)
		}
	}
	if took > slow {
		w.size(w.batch / 2)
	}
	return nil
}

// gather fills and seals one batch of what waits, and returns its length in bytes. Records under
// one key are sealed in one go.
func (w *writer) gather() (n int, err error) {
	for first := 0; n < len(w.buf); {
		f := w.fill(w.buf[n:n])
		if len(f.plain) > 0 {
			n += record.Size
			w.filled = append(w.filled, len(f.plain))
		}
		if last := len(f.plain) == 0 || n == len(w.buf); last || f.next != nil {
			err = w.lane.SealRun(w.buf[first:n], w.filled...)
			w.filled, first = w.filled[:0], n
			w.change(f.next)
			if last || err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// last sends what Close lets leave, and Bye.
func (w *writer) last(shaped bool) error {
	for n := 0; n < lastBatches && !shaped && w.pending(); n++ {
		if err := w.several(); err != nil {
			return err
		}
	}
	sealed, err := w.seal(filled{plain: record.Append(w.buf[:0], record.Bye)})
	if err == nil {
		err = w.write(sealed)
	}
	w.c.end(ErrClosed)
	return err
}

func (w *writer) pending() bool { return w.c.out.pending() || w.c.streams.Pending() }

// A filled is the frames of the next record, and the lane after it if it changes.
type filled struct {
	plain []byte
	next  *record.Lane
}

// fill appends to plain what goes into the next record: datagrams first, then the renewal of keys,
// then streams; but datagrams last once they have kept the others waiting for too long.
func (w *writer) fill(plain []byte) (f filled) {
	first := w.passed < fairness
	if first {
		plain = w.c.out.fillDatagrams(plain)
	}
	before := len(plain)
	plain, f.next = w.c.out.fillControl(plain)
	plain = w.c.streams.Fill(plain)
	w.passed++
	if len(plain)-before >= least || !w.pending() {
		w.passed = 0
	}
	if !first {
		plain = w.c.out.fillDatagrams(plain)
	}
	f.plain = plain
	return f
}

// seal seals a record in place and changes the lane after it.
func (w *writer) seal(f filled) ([]byte, error) {
	sealed, err := w.lane.Seal(f.plain)
	w.change(f.next)
	return sealed, err
}

// change goes on with another lane, if there is one. A key that wears counts as used.
func (w *writer) change(next *record.Lane) {
	if w.lane.HalfWorn() {
		signal(w.c.used)
	}
	if next != nil {
		w.lane = next
	}
}

func (w *writer) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if _, err := w.c.carrier.Write(b); err != nil {
		return carrierError(err)
	}
	return nil
}
