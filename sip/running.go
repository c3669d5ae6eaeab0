// A call that is on: what both sides do until one hangs up.

package sip

import (
	"context"
	"mime"
	"strings"
	"sync"
	"time"

	"nightjar/node/talk"
	"nightjar/sip/media"

	sipmsg "github.com/emiago/sipgo/sip"
)

// helper runs something beside the owner; its ctx ends with the call.
type helper func(func(context.Context))

// run carries the call until one side leaves, the phone dies, or ctx ends. Then the far side
// and the phone both know.
func (c *call) run(ctx context.Context) {
	voice, stop := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	help := func(f func(context.Context)) { helpers.Go(func() { f(voice) }) }
	help(func(ctx context.Context) { c.voice.Run(ctx, c.far, c.press) })
	c.aim()
	tick := time.NewTicker(100 * time.Millisecond)
	end := c.converse(ctx, tick.C, help, stop)
	tick.Stop()
	stop()
	switch end {
	case phoneLeft:
		c.far.End(talk.Hangup)
	case broken:
		c.far.End(talk.Failed)
		c.hangUp()
	case farLeft:
		c.hangUp()
	}
	helpers.Wait()
}

// ending says why a call is over; going on is none.
type ending uint8

const (
	goesOn ending = iota
	phoneLeft
	farLeft
	broken // the phone is gone, or the door closes
)

// converse is the owner's loop.
func (c *call) converse(ctx context.Context, tick <-chan time.Time, help helper,
	stop func()) ending {
	events, end := c.far.Events(), goesOn
	c.pulse = time.Now().Add(pulseTime)
	for end == goesOn {
		select {
		case e, open := <-events:
			if open && e.Kind != talk.Ended {
				c.farDid(e, help)
			} else if c.answer == nil {
				end = farLeft
			} else { // BYE has to wait for the phone's ACK
				events, c.leaving = nil, true
				stop()
			}
		case in := <-c.in:
			end = c.phoneDid(ctx, in)
			close(in.done)
		case key := <-c.keys:
			c.far.DTMF(key)
		case n := <-c.news:
			if !c.leaving && !c.heard(n) {
				end = broken
			}
		case now := <-tick:
			end = c.passTime(now, help)
		case <-ctx.Done():
			end = broken
		}
	}
	return end
}

// passTime does what is due: repeating our answer, asking after the phone, offering again.
func (c *call) passTime(now time.Time, help helper) ending {
	switch {
	case c.answer != nil:
		if !c.answer.again(now) {
			return broken
		}
	case c.session.over(now):
		return broken
	case now.After(c.pulse):
		c.pulse = now.Add(pulseTime + time.Second)
		help(c.stillThere)
	case c.wanted && c.offer == nil && now.After(c.retryAt):
		c.reoffer(help)
	}
	return goesOn
}

// press takes a key of the phone; a full queue drops it.
func (c *call) press(key byte) {
	select {
	case c.keys <- key:
	default:
	}
}

// farDid passes on what the far side did.
func (c *call) farDid(e talk.Event, help helper) {
	switch e.Kind {
	case talk.Held:
		if c.farHolds != e.On {
			c.farHolds, c.wanted = e.On, true
		}
	case talk.Dialed:
		if talk.Digit(e.Digit) && !c.voice.Press(e.Digit) {
			help(func(ctx context.Context) { c.infoKey(ctx, e.Digit) })
		}
	}
}

// infoKey sends a key press to a phone that takes none in its stream.
func (c *call) infoKey(ctx context.Context, key byte) {
	ctx, cancel := context.WithTimeout(ctx, byeTime)
	defer cancel()
	r := c.d.Request(sipmsg.INFO)
	r.AppendHeader(sipmsg.NewHeader("Content-Type", "application/dtmf-relay"))
	r.SetBody([]byte("Signal=" + string(rune(key)) + "\r\nDuration=160\r\n"))
	c.p.ask(ctx, c.d, r)
}

// phoneDid answers a request of the phone.
func (c *call) phoneDid(ctx context.Context, in inbound) ending {
	respond := func(code int, phrase string) { in.tx.Respond(c.d.Response(in.req, code, phrase)) }
	switch in.req.Method {
	case sipmsg.ACK:
		return c.acked(in.req)
	case sipmsg.BYE:
		respond(200, "OK")
		return phoneLeft
	case sipmsg.INVITE, sipmsg.UPDATE:
		c.reoffered(in)
	case sipmsg.INFO:
		key, ok := keyOf(in.req)
		if !ok && len(in.req.Body()) > 0 {
			respond(415, "Unsupported Media Type")
			break
		}
		if ok {
			c.far.DTMF(key)
		}
		respond(200, "OK")
	case sipmsg.MESSAGE:
		in.tx.Respond(c.p.text(ctx, c.far.Contact(), in.req))
	case sipmsg.OPTIONS:
		c.p.options(ctx, in.req, in.tx)
	case sipmsg.REFER:
		c.p.refer(ctx, in.req, in.tx)
	case sipmsg.SUBSCRIBE:
		in.tx.Respond(badEvent(in.req))
	default:
		c.p.unknown(ctx, in.req, in.tx)
	}
	return goesOn
}

// keyOf reads a key press of an INFO: application/dtmf-relay has "Signal=5", application/dtmf
// the key alone.
func keyOf(r *sipmsg.Request) (byte, bool) {
	if r.ContentType() == nil || len(r.Body()) > 256 {
		return 0, false
	}
	kind, _, err := mime.ParseMediaType(r.ContentType().Value())
	if err != nil {
		return 0, false
	}
	text := strings.TrimSpace(string(r.Body()))
	if kind == "application/dtmf-relay" {
		text = ""
		for _, line := range strings.Split(string(r.Body()), "\n") {
			name, value, ok := strings.Cut(line, "=")
			if ok && strings.EqualFold(strings.TrimSpace(name), "signal") {
				text = strings.TrimSpace(value)
			}
		}
	} else if kind != "application/dtmf" {
		return 0, false
	}
	switch text { // RFC 4733 numbers, as some phones write them
	case "10":
		text = "*"
	case "11":
		text = "#"
	}
	text = strings.ToUpper(text)
	if len(text) != 1 || !talk.Digit(text[0]) {
		return 0, false
	}
	return text[0], true
}

// acked takes the phone's ACK. The far side may have left while the phone had not acknowledged.
func (c *call) acked(r *sipmsg.Request) ending {
	if c.answer == nil || r.CSeq().SeqNo != c.answer.seq {
		return goesOn
	}
	late := c.answer.late
	c.answer = nil
	if c.leaving {
		return farLeft
	}
	if !late {
		return goesOn
	}
	d, err := media.ParseSDP(r.Body())
	if err != nil {
		return broken
	}
	c.settle(d)
	return goesOn
}

// settle takes the phone's description, points the voice at it, and passes a hold on.
func (c *call) settle(d *media.Description) {
	if _, ok := d.Format(c.codec); !ok {
		return // it would need a codec that the far side does not speak
	}
	c.phone, c.dir = d, c.direction(d.Direction)
	if held := d.Direction.Held(); held != c.holds {
		c.holds = held
		c.far.Hold(held)
	}
	c.aim()
}
