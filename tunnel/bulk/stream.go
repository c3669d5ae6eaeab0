// One stream as its user sees it.

package bulk

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// chunk is how much of a long write is veiled at once.
const chunk = 32 << 10

// beginning is how long the first byte of a stream may be behind it.
const beginning = 10 * time.Second

// A stream is one stream as its user sees it; the bytes that QUIC has of it are veiled.
type stream struct {
	q *quic.Stream // not embedded: it can do what would pass by the veil
	s *Streams

	reading, writing sync.Mutex
	in, out          veil
}

func (s *Streams) stream(q *quic.Stream) *stream {
	id := uint64(q.StreamID())
	t := &stream{q: q, s: s, in: veil{stream: id}, out: veil{stream: id}}
	t.in.key, t.out.key = &s.secrets.Initiator.Veil, &s.secrets.Responder.Veil
	if s.initiator {
		t.in.key, t.out.key = t.out.key, t.in.key
	}
	return t
}

// begin writes the byte that shows the stream to the far side.
func (t *stream) begin() error {
	_, err := t.Write([]byte{opening})
	return err
}

// began reads it, and does not wait long: it comes with the stream.
func (t *stream) began() bool {
	t.q.SetReadDeadline(time.Now().Add(beginning))
	defer t.q.SetReadDeadline(time.Time{})
	var first [1]byte
	_, err := io.ReadFull(t, first[:])
	return err == nil && first[0] == opening
}

// Read reads what has come.
func (t *stream) Read(b []byte) (int, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	n, err := t.q.Read(b)
	t.in.cover(b[:n], b[:n])
	return n, t.s.why(context.Background(), err)
}

// Write returns once b is on its way or waits in QUIC's buffer.
func (t *stream) Write(b []byte) (total int, err error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	room := t.s.room()
	defer t.s.rooms.Put(room)
	for {
		part := room[:min(len(b), chunk)]
		t.out.cover(part, b[:len(part)])
		n, err := t.q.Write(part)
		t.out.back(len(part) - n)
		total, b = total+n, b[n:]
		if err != nil || len(b) == 0 {
			return total, t.s.why(context.Background(), err)
		}
	}
}

// CloseWrite tells the far side that nothing more comes after what was written.
func (t *stream) CloseWrite() error { return t.q.Close() }

// Close ends both directions; what was written before still goes out.
func (t *stream) Close() error {
	t.q.CancelRead(0)
	return t.q.Close()
}

func (t *stream) LocalAddr() net.Addr  { return t.s.transport.Conn.LocalAddr() }
func (t *stream) RemoteAddr() net.Addr { return t.s.transport.Conn.LocalAddr() }

// SetDeadline limits Read and Write.
func (t *stream) SetDeadline(at time.Time) error { return t.q.SetDeadline(at) }

// SetReadDeadline limits Read.
func (t *stream) SetReadDeadline(at time.Time) error { return t.q.SetReadDeadline(at) }

// SetWriteDeadline limits Write.
func (t *stream) SetWriteDeadline(at time.Time) error { return t.q.SetWriteDeadline(at) }
