// Calls that come for the phone.

package sip

import (
	"context"
	"errors"
	"time"

	"nightjar/node/talk"
	"nightjar/sip/gate"
	"nightjar/sip/media"

	sipmsg "github.com/emiago/sipgo/sip"
)

// errRang ends a call that rang too long.
var errRang = errors.New("nobody answered in time")

// reasonOf is what the far side is told when the phone does not take a call.
func reasonOf(code int) talk.Reason {
	switch code {
	case 486, 600:
		return talk.Busy
	case 603, 403, 607:
		return talk.Declined
	case 404, 408, 410, 480, 604:
		return talk.Unavailable
	case 487:
		return talk.Canceled
	}
	return talk.Failed
}

// Incoming rings the phone for a call and carries the call to its end. With no phone
// registered the caller is told Unavailable, with all places taken Busy.
func (p *Phone) Incoming(ctx context.Context, far talk.Call) {
	peer, ok := p.bound()
	if !ok || !p.crew.join() {
		far.End(talk.Unavailable)
		return
	}
	defer p.crew.leave()
	if !p.place() {
		far.End(talk.Busy)
		return
	}
	defer p.release()
	c := p.newCall(p.stack.Calling(far.Contact(), p.user, peer))
	defer c.leave()
	c.far = far
	tx, invite, ok := c.invite(ctx)
	if !ok {
		far.End(talk.Failed)
		return
	}
	defer tx.Terminate()
	if c.ringPhone(ctx, tx, invite) {
		c.run(ctx)
	} else if c.voice != nil {
		c.voice.Close()
	}
}

// invite sends the INVITE with what the caller can speak.
func (c *call) invite(ctx context.Context) (sipmsg.ClientTransaction, *sipmsg.Request, bool) {
	codecs := talk.Common(c.far.Offer(), talk.Codecs())
	if len(codecs) == 0 || c.openVoice() != nil {
		return nil, nil, false
	}
	c.ours = true
	c.local.Version++
	body, err := c.local.Offer(codecs, media.SendRecv)
	if err == nil {
		r := c.d.Request(sipmsg.INVITE)
		r.AppendHeader(sipmsg.NewHeader("Allow", gate.Methods))
		r.AppendHeader(sipmsg.NewHeader("Content-Type", "application/sdp"))
		r.SetBody(body)
		var tx sipmsg.ClientTransaction
		if tx, err = c.p.stack.Begin(ctx, r, c.d.Peer()); err == nil {
			return tx, r, true
		}
	}
	c.voice.Close()
	return nil, nil, false
}

// ringPhone waits for the phone. It reports whether the call is on; if not, the far side has
// been told.
func (c *call) ringPhone(ctx context.Context, tx sipmsg.ClientTransaction,
	invite *sipmsg.Request) bool {
	ringing, stop := context.WithTimeoutCause(ctx, ringTime, errRang)
	defer stop()
	heard, rings := false, false
	for {
		select {
		case res := <-tx.Responses():
			heard = true
			switch {
			case res.IsProvisional():
				if !rings && res.StatusCode > 100 {
					rings = true
					c.far.Ring()
				}
			case res.IsSuccess():
				return c.taken(tx, invite, res)
			default:
				c.far.End(reasonOf(res.StatusCode))
				return false
			}
		case <-tx.Done():
			c.far.End(talk.Unavailable)
			return false
		case e, open := <-c.far.Events():
			if !open || e.Kind == talk.Ended {
				c.giveUp(tx, invite, heard)
				return false
			}
		case in := <-c.in:
			c.early(in)
		case <-ringing.Done():
			reason := talk.Unavailable
			if context.Cause(ringing) == errRang {
				reason = talk.Timeout
			}
			c.far.End(reason)
			c.giveUp(tx, invite, heard)
			return false
		}
	}
}

// taken acknowledges the phone's answer and tells the far side its codec.
func (c *call) taken(tx sipmsg.ClientTransaction, invite *sipmsg.Request,
	res *sipmsg.Response) bool {
	c.acknowledge(tx, invite, res)
	d, err := media.ParseSDP(res.Body())
	if err == nil && isSDP(res) {
		if list := talk.Common(d.Codecs(), c.far.Offer()); len(list) > 0 {
			c.phone, c.codec, c.dir = d, list[0], d.Direction.Reverse()
			if c.far.Answer(c.codec) == nil {
				return true
			}
		}
	}
	c.far.End(talk.Failed)
	c.hangUp()
	return false
}

// acknowledge sends the ACK, and sends it again whenever the phone repeats its answer.
func (c *call) acknowledge(tx sipmsg.ClientTransaction, invite *sipmsg.Request,
	res *sipmsg.Response) {
	c.d.Confirm(res)
	tx.OnRetransmission(func(*sipmsg.Response) {
		c.p.stack.Write(c.d.Ack(invite), c.d.Peer())
	})
	c.p.stack.Write(c.d.Ack(invite), c.d.Peer())
}

// giveUp cancels a ringing phone and waits until it has understood (RFC 3261 section 9.1): a
// CANCEL may follow a provisional response only, and an answer may be on its way already.
func (c *call) giveUp(tx sipmsg.ClientTransaction, invite *sipmsg.Request, heard bool) {
	limit := time.NewTimer(ackTime)
	defer limit.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), ackTime)
	defer cancel()
	sent := make(chan struct{})
	said := false
	say := func() {
		said = true
		go func() {
			defer close(sent)
			c.p.stack.Do(ctx, c.d.Cancel(invite), c.d.Peer())
		}()
	}
	if heard {
		say()
	}
	defer func() {
		if said {
			cancel()
			<-sent
		}
	}()
	for {
		select {
		case res := <-tx.Responses():
			switch {
			case res.IsProvisional():
				if !said {
					say()
				}
			case res.IsSuccess():
				c.acknowledge(tx, invite, res)
				c.hangUp()
				return
			default:
				return
			}
		case in := <-c.in:
			c.early(in)
		case <-tx.Done():
			return
		case <-limit.C:
			return
		}
	}
}

// stillThere asks the phone inside the dialog whether it lives; any answer will do.
func (c *call) stillThere(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pulseTime)
	defer cancel()
	res, err := c.p.ask(ctx, c.d, c.d.Request(sipmsg.OPTIONS))
	if err != nil {
		res = nil
	}
	c.news <- news{res: res}
}
