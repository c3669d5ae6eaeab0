// A session: its users' side.

package datagram

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/handshake"
	"nightjar/tunnel/outlet"
	"nightjar/tunnel/packet"
	"nightjar/tunnel/record"
	"nightjar/tunnel/retry"
	"nightjar/tunnel/roam"
	"nightjar/tunnel/share"
)

const (
	// MaxDatagram is the longest datagram while no clock runs; with one it is
	// tunnel.MaxDatagram, or what fits the size of its Shape.
	MaxDatagram = packet.MaxBody
	// MaxMessage is the longest message.
	MaxMessage = retry.MaxMessage

	// Bytes that wait to be received, at most, and how many of them need no loan.
	inletBytes, inletOwn = 2 << 20, 64 << 10 // datagrams
	bulkBytes, bulkOwn   = 1 << 20, 16 << 10 // stream packets, for QUIC

	slowest     = 10 * time.Second
	longestGap  = 20 * time.Second // of cover
	ours, users = 0, 1             // channels of messages: the session's own, its user's
)

// A Shape is when packets leave and how long they are.
type Shape struct {
	Every time.Duration // exactly one packet each; 0: as they come; at most ten seconds
	Size  int           // of each packet while a clock runs, 512 to 1232 bytes

	draw func() float64 // exponential, mean 1: Every is but the mean; nil: no chance in it
}

// Call is the shape of a lane of voice: streams do not move while it lasts, for their packets are
// longer.
func Call() Shape { return Shape{Every: 40 * time.Millisecond, Size: packet.ClockSize} }

// Cover is the shape that hides at low cost whether anything is said at all: packets leave at
// random moments, two seconds apart on average and 20 at most (a Poisson process, cut off there),
// as those of tunnel.Cover do.
func Cover() Shape {
	return Shape{Every: 2 * time.Second, Size: packet.Largest, draw: rand.ExpFloat64}
}

// A Conn is a session between two contacts. It meets tunnel.Tunnel. Its methods are safe for
// concurrent use.
//
// One goroutine lives in it, run, which does whatever waits for a time; what is sent without a
// clock leaves in the goroutine of its sender. end tells run to stop; Close waits for it.
type Conn struct {
	e         *Endpoint
	initiator bool
	peer      [32]byte
	binding   [32]byte

	stock       *share.Stock // the contact's part
	out         *outlet.Outlet
	in, packets *inlet
	handler     atomic.Pointer[func([][]byte)]
	heard, used atomic.Bool

	wake   chan struct{} // holds one when control or streams wait
	beat   chan struct{} // holds one when a packet is to leave at once
	mail   chan struct{} // holds one when a message may wait
	room   chan struct{} // holds one when there may be room for a message
	shapes chan Shape

	mu      sync.Mutex // guards what follows
	path    *roam.Path
	sending [packet.Channels]retry.Sender
	coming  [packet.Channels]retry.Receiver
	owed    [packet.Channels]bool // acknowledgements
	answers []uint64              // tokens
	probe   probe
	slack   time.Duration // two ticks of the clock
	keys    keys

	streams streams

	closing     chan struct{}
	closingOnce sync.Once
	done        chan struct{}
	doneOnce    sync.Once
	err         error // why it ended; written before done closes
	group       sync.WaitGroup
}

// newConn begins a session: the initiator's is its user's at once, the responder's when the first
// packet has opened.
func newConn(e *Endpoint, s *handshake.Session, at netip.AddrPort) (*Conn, error) {
	keys, l, err := newEpoch(s)
	if err != nil {
		return nil, err
	}
	stock := e.stock.Of(s.Peer)
	c := &Conn{
		e:         e,
		initiator: s.Initiator,
		peer:      s.Peer,
		binding:   s.Binding,
		out:       outlet.New(e.carrier, &e.rows, at),
		stock:     stock,
		in:        newInlet(inletBytes, inletOwn, stock),
		packets:   newInlet(bulkBytes, bulkOwn, stock),
		wake:      make(chan struct{}, 1),
		beat:      make(chan struct{}, 1),
		mail:      make(chan struct{}, 1),
		room:      make(chan struct{}, 1),
		shapes:    make(chan Shape, 1),
		path:      roam.New(at),
		closing:   make(chan struct{}),
		done:      make(chan struct{}),
	}
	l.conn = c
	c.streams.ready = make(chan struct{})
	c.streams.secrets = secretsOf(s)
	c.keys = newKeys(s, l, time.Now())
	c.out.Rekey(keys)
	if !e.admit(c) {
		return nil, tunnel.ErrClosed
	}
	if !e.lanes.enter(l) {
		e.dismiss(c)
		return nil, tunnel.ErrClosed
	}
	c.group.Go(func() { record.Erasing(c.run) }) // what is said passes through it
	return c, nil
}

// Peer is the static key of the far side, which the handshake has proved.
func (c *Conn) Peer() [32]byte { return c.peer }

// Binding is a public value that is equal on both sides and belongs to this session alone.
func (c *Conn) Binding() [32]byte { return c.binding }

// Far is the address to which packets go now. It can change at any time.
func (c *Conn) Far() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.path.Addr()
}

// Initiator reports whether this side dialled.
func (c *Conn) Initiator() bool { return c.initiator }

// SendDatagram sends b, at most MaxDatagram bytes, at once, or at a tick of the clock: then at
// most four wait, and the oldest makes room. Datagrams arrive whole, once, in any order, or not
// at all. What the carrier refuses is lost without an error.
func (c *Conn) SendDatagram(b []byte) error { return c.sent(c.out.Datagrams(b)) }

// SendDatagrams sends many, in rows where the carrier can, which is several times faster.
func (c *Conn) SendDatagrams(all [][]byte) error { return c.sent(c.out.Datagrams(all...)) }

// sent notes that the session is in use, and translates what the outlet says.
func (c *Conn) sent(err error) error {
	switch err {
	case nil:
		c.use()
		return nil
	case outlet.ErrTooLong:
		return tunnel.ErrTooLong
	}
	c.end(tunnel.ErrStale) // worn, or ended already
	return c.Err()
}

// use notes that the session is in use.
func (c *Conn) use() {
	if !c.used.Load() {
		c.used.Store(true)
	}
}

// ReceiveDatagram returns the next datagram. Those that wait to be received hold at most 2 MiB;
// then the oldest are dropped.
func (c *Conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	for {
		if b, ok := c.in.one(); ok {
			c.more()
			return b, nil
		}
		if err := c.in.wait(ctx, c); err != nil {
			return nil, err
		}
	}
}

// ReceiveDatagrams moves datagrams into bufs, whose elements should have capacity MaxDatagram,
// cuts each to its length, and returns how many came; at least one, unless bufs is empty.
func (c *Conn) ReceiveDatagrams(ctx context.Context, bufs [][]byte) (int, error) {
	for {
		if n := c.in.pop(bufs...); n > 0 || len(bufs) == 0 {
			c.more()
			return n, nil
		}
		if err := c.in.wait(ctx, c); err != nil {
			return 0, err
		}
	}
}

// ReceiveRow returns datagrams as they came together, without copying them. Release must follow.
func (c *Conn) ReceiveRow(ctx context.Context) (*Row, error) {
	for {
		if r := c.in.row(); r != nil {
			c.more()
			return r, nil
		}
		if err := c.in.wait(ctx, c); err != nil {
			return nil, err
		}
	}
}

// HandleDatagrams has f called with datagrams as they come, instead of their waiting to be
// received; nil ends that. It saves the change of goroutine, which costs more than opening a
// packet: for voice. f is called in the goroutine that reads for every session of the endpoint, so
// it must not block, nor close anything; it may send datagrams. What it is given is its own until
// it returns.
func (c *Conn) HandleDatagrams(f func(datagrams [][]byte)) {
	if f == nil {
		c.handler.Store(nil)
		return
	}
	c.handler.Store(&f)
}

// more tells another who receives that there is more.
func (c *Conn) more() {
	if !c.in.empty() {
		signal(c.in.ready)
	}
}

// SetClock sets when packets leave: each time every has passed, exactly one of 512 bytes, whatever
// there is to send; or, when every is 0, as they come.
func (c *Conn) SetClock(every time.Duration) {
	c.SetShape(Shape{Every: every, Size: packet.ClockSize})
}

// SetShape sets when packets leave and how long they are.
func (c *Conn) SetShape(s Shape) {
	s.Every = min(max(s.Every, 0), slowest)
	s.Size = packet.Fit(min(max(s.Size, packet.ClockSize), packet.Largest) - packet.Overhead)
	for {
		select {
		case c.shapes <- s:
			return
		case <-c.shapes: // one that was not yet heeded
		}
	}
}

// Done is closed when the session has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the session ended, or nil while it lives.
func (c *Conn) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Close ends the session: it tries for at most a second to have messages acknowledged, tells the
// far side, and returns when every goroutine has ended. Streams that the far side has not read to
// the end are cut. While a clock runs only one more packet leaves.
func (c *Conn) Close() error {
	c.leave()
	c.group.Wait()
	return nil
}

// leave is Close without waiting.
func (c *Conn) leave() { c.closingOnce.Do(func() { close(c.closing) }) }

// end ends the session for the reason err, of which the first counts.
func (c *Conn) end(err error) {
	c.doneOnce.Do(func() {
		select {
		case <-c.closing:
			err = tunnel.ErrClosed
		default:
		}
		c.err = err
		close(c.done)
	})
}

// signal leaves one token in a channel that holds at most one.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// A probe is a challenge that tells by its answer which ids of this side have come.
type probe struct {
	token uint64 // zero for none
	way   uint64 // number of the id that it left under
	due   bool
}

// turn goes on with the next id.
func (c *Conn) turn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probe = probe{token(), c.out.Turn(), true}
}

// ask sends the probe again if nobody has answered it.
func (c *Conn) ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probe.due = c.probe.token != 0
}

// aim sends packets to where the path leads. Called with the lock held.
func (c *Conn) aim() {
	if way, moved := c.out.Move(c.path.Addr()); moved {
		c.probe = probe{token(), way, true}
	}
}

// rekey seals under other keys from now on. Called with the lock held.
func (c *Conn) rekey(k outlet.Keys) {
	c.out.Rekey(k)
	c.probe = probe{}
}

// token is a random number for a challenge.
func token() uint64 {
	var b [8]byte
	crand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}
