// The goroutine that reads the carrier: records in, frames out to where they belong.

package tunnel

import (
	"time"

	"nightjar/tunnel/record"
)

// A reader opens the records of the far side.
type reader struct {
	c      *Conn
	lane   *record.Lane
	buf    []byte
	n      int // bytes in buf that are no whole record yet
	calm   int // fetches in a row that a small buffer would have done for
	frames []record.Frame
}

const (
	// calmFetches is after how many small fetches a grown buffer is given back.
	calmFetches = 64
	// run is how many records are opened in one go.
	run = 8
)

// size makes the buffer fit what one fetch brings: it grows when filled, and is given back when
// little has come for a while.
func (r *reader) size(filled int) {
	const small, large = smallBatch * record.Size, largeBatch * record.Size
	r.calm++
	if filled > small {
		r.calm = 0
	}
	want := len(r.buf)
	switch {
	case filled == len(r.buf):
		want = min(max(2*want, small), large)
	case r.calm > calmFetches:
		want = small
	}
	if want != len(r.buf) {
		r.buf = append(make([]byte, 0, want), r.buf[:r.n]...)[:want]
	}
}

// run reads until the carrier or the session ends.
func (r *reader) run() {
	r.size(0)
	for {
		r.c.carrier.SetReadDeadline(time.Now().Add(silence))
		if err := r.fetch(); err != nil {
			r.c.end(err)
			return
		}
	}
}

// fetch reads until at least one whole record is there, and takes all that are. Those who wait for
// what came are woken once for all of it.
func (r *reader) fetch() error {
	defer r.c.streams.Flush()
	for r.n < record.Size {
		n, err := r.c.carrier.Read(r.buf[r.n:])
		r.n += n
		if err != nil && r.n < record.Size {
			return carrierError(err)
		}
	}
	at, filled := 0, r.n
	for r.n-at >= record.Size {
		frames, n, err := r.lane.OpenRun(r.frames[:0], r.buf[at:r.n], run)
		r.frames, at = frames, at+n
		if err := r.hand(frames); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	r.n = copy(r.buf, r.buf[at:r.n])
	r.size(filled)
	if r.lane.HalfWorn() {
		signal(r.c.used)
	}
	return nil
}

// take hands on the frames of the first record, which the handshake has opened.
func (r *reader) take(plain []byte) (err error) {
	if r.frames, err = record.Parse(r.frames[:0], plain); err != nil {
		return err
	}
	return r.hand(r.frames)
}

func (r *reader) hand(frames []record.Frame) error {
	for _, f := range frames {
		if err := r.frame(f); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) frame(f record.Frame) error {
	switch f.Kind {
	case record.Datagram:
		if len(f.Body) > MaxDatagram {
			return ErrRules
		}
		r.datagram(append([]byte(nil), f.Body...))
	case record.Renew:
		return r.c.renewal(f.Body)
	case record.Switch:
		return r.switchLane(f.Body)
	case record.Bye:
		return ErrEnded
	default:
		signal(r.c.used)
		return r.c.streams.Receive(f)
	}
	return nil
}

// datagram leaves b for ReceiveDatagram and drops the oldest of too many.
func (r *reader) datagram(b []byte) {
	signal(r.c.used)
	for {
		select {
		case r.c.in <- b:
			return
		default:
		}
		select {
		case <-r.c.in:
		default:
		}
	}
}
