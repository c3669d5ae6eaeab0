// One call: the phone's dialog on one side, a talk.Call on the other, voice between them. A
// single goroutine owns it; everybody else hands it things over channels.

package sip

import (
	"context"
	"net"
	"net/netip"
	"time"

	"nightjar/node/talk"
	"nightjar/sip/media"
	"nightjar/sip/stack"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Times of a call.
const (
	ringTime  = 3 * time.Minute  // after which a ringing call is given up
	ackTime   = 32 * time.Second // a phone has to acknowledge our answer (64*T1)
	pulseTime = 30 * time.Second // between questions whether the phone is still there
	byeTime   = 4 * time.Second  // a phone has to answer our BYE
)

// inbound is a request of the phone inside a call, on its way to the owner.
type inbound struct {
	req  *sipmsg.Request
	tx   sipmsg.ServerTransaction
	done chan struct{} // closed when it is answered
}

// call is the state that its owner keeps.
type call struct {
	p     *Phone
	far   talk.Call
	d     *stack.Dialog
	voice *media.Session
	local media.Local
	codec talk.Codec
	phone *media.Description // what the phone said last
	in    chan inbound
	gone  chan struct{} // closed when the owner has left
	keys  chan byte     // pressed on the phone

	ours     bool            // we made the offer: the phone may use our payload types
	holds    bool            // the phone holds
	farHolds bool            // the far side holds
	dir      media.Direction // as we last wrote it
	answer   *answer         // ours that is not acknowledged yet
	offer    *offer          // ours that is not answered yet
	wanted   bool            // another offer of ours has to follow
	retryAt  time.Time       // but not before
	news     chan news       // from the goroutines that ask the phone
	leaving  bool            // the far side has left; BYE follows the phone's ACK
	pulse    time.Time       // when the phone is asked next whether it is there
	session  expiry
}

// news is how a request of ours inside the dialog went.
type news struct {
	res   *sipmsg.Response // nil: no answer
	offer *offer           // nil: it was a question whether the phone is there
}

// newCall prepares a call; the dialog is known to the door from here on.
func (p *Phone) newCall(d *stack.Dialog) *call {
	c := &call{p: p, d: d, in: make(chan inbound), gone: make(chan struct{}),
		keys: make(chan byte, 16), news: make(chan news, 4), dir: media.SendRecv}
	p.mu.Lock()
	p.calls[d.Key()] = c
	p.mu.Unlock()
	return c
}

// leave makes the door forget a call. Requests that still wait are answered by inside.
func (c *call) leave() {
	c.p.mu.Lock()
	delete(c.p.calls, c.d.Key())
	c.p.mu.Unlock()
	close(c.gone)
}

// inside hands a request to the call or subscription whose dialog it belongs to.
func (p *Phone) inside(ctx context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	p.mu.Lock()
	c := p.calls[stack.KeyOf(r)]
	p.mu.Unlock()
	if c == nil {
		if r.Method == sipmsg.SUBSCRIBE && p.resubscribe(ctx, r, tx) || r.Method == sipmsg.ACK {
			return
		}
		p.stray(ctx, r, tx)
		return
	}
	ours, ordered := c.d.Admit(r)
	if !ours {
		p.stray(ctx, r, tx)
		return
	}
	if !ordered {
		tx.Respond(c.d.Response(r, 500, "Server Internal Error"))
		return
	}
	in := inbound{r, tx, make(chan struct{})}
	select {
	case c.in <- in:
		<-in.done
	case <-c.gone:
		if r.Method != sipmsg.ACK {
			p.stray(ctx, r, tx)
		}
	}
}

// place takes one of the places for calls; give it back with release.
func (p *Phone) place() bool {
	select {
	case p.places <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p *Phone) release() { <-p.places }

// openVoice takes media ports for the call.
func (c *call) openVoice() error {
	v, err := media.Open(func(port uint16) (net.PacketConn, error) {
		return c.p.sockets.Packet(netip.AddrPortFrom(c.p.at.Addr(), port))
	})
	if err != nil {
		return err
	}
	c.voice = v
	c.local = media.Local{Host: c.p.at.Addr(), Port: v.Port()}
	return nil
}

// aim points the voice at the phone as it described itself last.
func (c *call) aim() {
	d := c.phone
	if d == nil {
		return
	}
	f, ok := d.Format(c.codec)
	if !ok {
		return
	}
	t := media.Target{Codec: c.codec, Out: f.PayloadType,
		In: []uint8{f.PayloadType}, Port: d.Port, Direction: c.dir}
	t.Keys, t.HasKeys = d.KeysFor(c.codec)
	for _, k := range d.Keys {
		t.KeysIn = append(t.KeysIn, k.PayloadType)
	}
	if c.ours {
		t.In = append(t.In, c.codec.PayloadType())
		t.KeysIn = append(t.KeysIn, media.OurKeys()...)
	}
	t.Hosts = []netip.Addr{c.d.Peer().Source.Addr(), c.p.at.Addr()}
	if d.Host.IsValid() && !d.Host.IsUnspecified() {
		t.Hosts = append(t.Hosts, d.Host)
	}
	c.voice.Aim(t)
}

// direction is what we write: what the far side's hold leaves of what the phone wants.
func (c *call) direction(phone media.Direction) media.Direction {
	dir := phone.Reverse()
	if !c.farHolds {
		return dir
	}
	switch dir {
	case media.SendRecv:
		return media.SendOnly
	case media.RecvOnly:
		return media.Inactive
	}
	return dir
}

// hangUp sends BYE and waits a little for its answer. It needs no ctx of the call: the call is
// over.
func (c *call) hangUp() {
	ctx, cancel := context.WithTimeout(context.Background(), byeTime)
	defer cancel()
	c.p.ask(ctx, c.d, c.d.Request(sipmsg.BYE))
}

// ask sends a request inside a dialog to where the phone is now: a phone that came back over
// another connection is found by its registration.
func (p *Phone) ask(ctx context.Context, d *stack.Dialog, r *sipmsg.Request) (
	*sipmsg.Response, error) {
	return p.stack.Do(ctx, r, p.reach(d))
}

// reach is where the phone of a dialog is now.
func (p *Phone) reach(d *stack.Dialog) stack.Peer {
	peer := d.Peer()
	if !p.stack.Alive(peer) {
		if b, ok := p.bound(); ok {
			d.Moved(b)
			peer = d.Peer()
		}
	}
	return peer
}
