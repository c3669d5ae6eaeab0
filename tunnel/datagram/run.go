// The life of a session: the one goroutine that does whatever waits for a time.

package datagram

import (
	"math/rand/v2"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/outlet"
	"nightjar/tunnel/packet"
)

const (
	heartbeat = 7 * time.Second // without anything sent, give or take jitter
	jitter    = 1500 * time.Millisecond
	worried   = 15 * time.Second // without anything heard, then heartbeats are quicker
	quicker   = 2 * time.Second
	silence   = time.Minute      // the far side is gone
	proofTime = 10 * time.Second // for the first packet of the far side
	linger    = time.Second      // Close tries that long to have messages acknowledged
	fairness  = 16               // each so many ticks, control goes before datagrams
)

// A runner is the state of run.
type runner struct {
	c         *Conn
	shape     Shape
	tick      *time.Ticker
	timer     *time.Timer
	heart     time.Time
	lastHeard time.Time
	turn      int
	closing   <-chan struct{}
	closeBy   time.Time // zero while Close has not been called
	scratch   [packet.MaxBody]byte
}

// run lives as long as the session.
func (c *Conn) run() {
	now := time.Now()
	r := &runner{c: c, lastHeard: now, heart: now.Add(pause()), closing: c.closing,
		tick: time.NewTicker(slowest), timer: time.NewTimer(0)}
	defer c.clean()
	defer r.tick.Stop()
	defer r.timer.Stop()
	for c.Err() == nil {
		r.once()
	}
}

// once waits for the next thing to do, and does it.
func (r *runner) once() {
	c, ticks := r.c, (<-chan time.Time)(nil)
	if r.shape.Every > 0 {
		ticks = r.tick.C
	}
	select {
	case <-c.done:
		return
	case <-r.closing:
		r.closing, r.closeBy = nil, time.Now().Add(linger)
	case s := <-c.shapes:
		r.reshape(s)
	case at := <-ticks:
		r.draw(at)
		r.tock()
	case <-c.beat:
		r.pad()
	case <-c.wake:
	case <-r.timer.C:
	}
	now := time.Now()
	c.process(now)
	r.alive(now)
	if r.shape.Every == 0 {
		r.flush(now)
	}
	r.farewell(now)
	r.timer.Reset(time.Until(c.next(r.heart, r.shape.Every > 0)))
}

// clean ends what belongs to the session.
func (c *Conn) clean() {
	c.out.Rekey(outlet.Keys{})
	c.in.close()
	c.packets.close()
	c.e.dismiss(c)
	c.mu.Lock()
	for _, l := range c.keys.lanes() {
		c.e.lanes.leave(l)
	}
	c.keys, c.streams.secrets = keys{}, nil
	c.mu.Unlock()
}

// pause is how long nothing is sent before a packet of padding.
func pause() time.Duration { return heartbeat - jitter + rand.N(2*jitter) }

// reshape follows another shape.
func (r *runner) reshape(s Shape) {
	c := r.c
	c.mu.Lock()
	c.slack = 2 * s.Every
	c.mu.Unlock()
	if r.shape = s; s.Every > 0 {
		r.tick.Reset(s.Every)
		r.draw(time.Now())
		c.out.SetClock(s.Size)
	} else {
		c.out.SetClock(0)
	}
}

// draw sets when the packet after the one of that moment leaves, if that is left to chance.
func (r *runner) draw(at time.Time) {
	if r.shape.draw == nil {
		return
	}
	gap := min(time.Duration(r.shape.draw()*float64(r.shape.Every)), longestGap)
	r.tick.Reset(max(time.Until(at.Add(gap)), 1))
}

// pad has a packet leave at once, unless a clock runs.
func (r *runner) pad() {
	if r.shape.Every == 0 {
		r.c.out.Send(packet.Padding, nil)
	}
}

// tock sends the one packet of a tick: datagrams first, but control first now and then, then
// streams, else padding.
func (r *runner) tock() {
	c, limit := r.c, r.shape.Size-packet.Overhead
	r.turn++
	fair := r.turn%fairness == 0
	b := r.scratch[:0]
	if !fair {
		b = c.out.Gather(b, limit)
	}
	b = c.fill(b, limit, time.Now())
	if fair && len(b) == 0 {
		if wire, ok := c.out.Streaming(limit); ok {
			c.out.Send(packet.Stream, wire)
			return
		}
	}
	if fair {
		b = c.out.Gather(b, limit)
	}
	kind := packet.Control
	if len(b) == 0 {
		kind = packet.Padding
		if wire, ok := c.out.Streaming(limit); ok {
			kind, b = packet.Stream, wire
		}
	}
	c.out.Send(kind, b)
}

// flush sends what waits, as it comes.
func (r *runner) flush(now time.Time) {
	for {
		b := r.c.fill(r.scratch[:0], packet.MaxBody, now)
		if len(b) == 0 {
			break
		}
		r.c.out.Send(packet.Control, b)
	}
	r.c.out.Flush()
}

// alive looks, at each beat of the heart, whether the far side is there, and shows that this side
// is. Beats are quicker while nothing is heard: an address may have changed on either side.
func (r *runner) alive(now time.Time) {
	c := r.c
	if now.Before(r.heart) {
		return
	}
	if c.heard.Swap(false) {
		r.lastHeard = now
		c.ask()
	}
	quiet := now.Sub(r.lastHeard)
	r.heart = now.Add(pause())
	if quiet > worried {
		r.heart = now.Add(quicker*7/8 + rand.N(quicker/4))
	}
	if quiet > silence {
		c.end(tunnel.ErrSilent)
		return
	}
	if sent := c.out.Sent(); !sent || quiet > worried {
		r.pad()
	}
}

// farewell ends the session once Close was called and what it waits for has come about.
func (r *runner) farewell(now time.Time) {
	c := r.c
	if r.closeBy.IsZero() {
		return
	}
	c.mu.Lock()
	empty := c.sending[users].Empty()
	c.mu.Unlock()
	if empty || r.shape.Every > 0 || !now.Before(r.closeBy) {
		c.out.Send(packet.Control, packet.Frame{Type: packet.Bye}.Append(nil))
		c.end(tunnel.ErrClosed)
	}
}

// next is when there is something to do at the latest.
func (c *Conn) next(heart time.Time, clocked bool) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := heart
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	sooner(c.keys.due())
	if clocked {
		return next
	}
	sooner(c.path.Next())
	for i := range c.sending {
		if t, some := c.sending[i].Next(); some {
			sooner(t)
			if t.IsZero() { // not sent yet
				return time.Time{}
			}
		}
	}
	return next
}
