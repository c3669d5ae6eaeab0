// Calls that the phone makes.

package sip

import (
	"context"
	"mime"
	"time"

	"nightjar/node/talk"
	"nightjar/sip/gate"
	"nightjar/sip/media"
	"nightjar/sip/stack"

	sipmsg "github.com/emiago/sipgo/sip"
)

// status is a SIP status code with our phrase for it.
type status struct {
	code   int
	phrase string
}

// statusOf tells the phone why a call did not come about.
func statusOf(r talk.Reason) status {
	switch r {
	case talk.Busy:
		return status{486, "Busy Here"}
	case talk.Declined:
		return status{603, "Decline"}
	case talk.Timeout:
		return status{408, "Request Timeout"}
	case talk.Canceled:
		return status{487, "Request Terminated"}
	case talk.Failed:
		return status{503, "Service Unavailable"}
	}
	return status{480, "Temporarily Unavailable"}
}

// outgoing answers an INVITE that begins a call, and owns the call to its end.
func (p *Phone) outgoing(ctx context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	refuse := func(code int, phrase string) { tx.Respond(stack.Response(r, code, phrase)) }
	name, ok := p.contact(r.Recipient)
	if !ok {
		refuse(404, "Not Found")
		return
	}
	offer, s := readOffer(r)
	if s.code != 0 {
		refuse(s.code, s.phrase)
		return
	}
	exp, s := readExpiry(r)
	if s.code != 0 {
		res := stack.Response(r, s.code, s.phrase)
		res.AppendHeader(sipmsg.NewHeader("Min-SE", seconds(minSession)))
		tx.Respond(res)
		return
	}
	d, ok := p.stack.Answering(r)
	if !ok {
		refuse(400, "Bad Request")
		return
	}
	if !p.place() {
		refuse(486, "Busy Here")
		return
	}
	defer p.release()
	c := p.newCall(d)
	defer c.leave()
	c.phone, c.session = offer, exp
	if codec, ok := c.ringFar(ctx, name, r, tx); ok {
		c.accept(ctx, codec, r, tx)
	}
}

// readOffer reads the session that the phone offers; nil if it wants to hear ours first.
func readOffer(r *sipmsg.Request) (*media.Description, status) {
	if len(r.Body()) == 0 {
		return nil, status{}
	}
	if !isSDP(r) {
		return nil, status{415, "Unsupported Media Type"}
	}
	d, err := media.ParseSDP(r.Body())
	if err != nil {
		return nil, status{488, "Not Acceptable Here"}
	}
	return d, status{}
}

// isSDP reports whether a message says that its body is a session description.
func isSDP(m interface {
	ContentType() *sipmsg.ContentTypeHeader
}) bool {
	t := m.ContentType()
	if t == nil {
		return false
	}
	kind, _, err := mime.ParseMediaType(t.Value())
	return err == nil && kind == "application/sdp"
}

// ringFar dials the contact and waits for its answer. When there is none, the phone has been
// told why.
func (c *call) ringFar(ctx context.Context, name string, r *sipmsg.Request,
	tx sipmsg.ServerTransaction) (talk.Codec, bool) {
	ringing, stop := context.WithTimeoutCause(ctx, ringTime, errRang)
	defer stop()
	if !tx.OnCancel(func(*sipmsg.Request) { stop() }) ||
		!tx.OnTerminate(func(string, error) { stop() }) {
		return 0, false
	}
	refuse := func(s status) { tx.Respond(c.d.Response(r, s.code, s.phrase)) }
	tx.Respond(c.d.Response(r, 100, "Trying"))
	codecs := talk.Codecs()
	if c.phone != nil { // in our order: a phone's own order tells its make
		codecs = talk.Common(codecs, c.phone.Codecs())
	}
	far, err := c.p.engine.Dial(ringing, name, codecs)
	if err != nil {
		refuse(statusOf(talk.Unavailable))
		return 0, false
	}
	c.far = far
	for {
		select {
		case e, open := <-far.Events():
			switch {
			case !open || e.Kind == talk.Ended:
				refuse(statusOf(e.Reason))
				return 0, false
			case e.Kind == talk.Ringing:
				refuse(status{180, "Ringing"})
			case e.Kind == talk.Answered:
				return e.Codec, true
			}
		case in := <-c.in:
			if c.early(in) {
				far.End(talk.Canceled)
				refuse(statusOf(talk.Canceled))
				return 0, false
			}
		case <-ringing.Done():
			reason := talk.Canceled
			if context.Cause(ringing) == errRang {
				reason = talk.Timeout
			}
			far.End(reason)
			refuse(statusOf(reason)) // after a CANCEL the stack has answered already
			return 0, false
		}
	}
}

// early answers a request inside a dialog that only rings. It reports whether the phone left.
func (c *call) early(in inbound) bool {
	defer close(in.done)
	switch in.req.Method {
	case sipmsg.ACK:
	case sipmsg.BYE:
		in.tx.Respond(c.d.Response(in.req, 200, "OK"))
		return true
	default:
		in.tx.Respond(c.d.Response(in.req, 491, "Request Pending"))
	}
	return false
}

// accept answers the phone with the far side's codec and carries the call.
func (c *call) accept(ctx context.Context, codec talk.Codec, r *sipmsg.Request,
	tx sipmsg.ServerTransaction) {
	c.codec = codec
	body, err := c.describe()
	if err != nil {
		c.far.End(talk.Failed)
		tx.Respond(c.d.Response(r, 500, "Server Internal Error"))
		if c.voice != nil {
			c.voice.Close()
		}
		return
	}
	c.respond(r, tx, body)
	c.run(ctx)
}

// describe opens the voice and writes our side: an answer, or an offer if the phone made none.
func (c *call) describe() ([]byte, error) {
	if err := c.openVoice(); err != nil {
		return nil, err
	}
	c.local.Version++
	if c.phone == nil {
		c.ours = true
		return c.local.Offer([]talk.Codec{c.codec}, c.dir)
	}
	c.dir = c.direction(c.phone.Direction)
	return c.local.Answer(c.phone, c.codec, c.dir)
}

// respond sends a 2xx to an INVITE and remembers to repeat it until it is acknowledged
// (RFC 3261 section 13.3.1.4).
func (c *call) respond(r *sipmsg.Request, tx sipmsg.ServerTransaction, body []byte) {
	res := c.d.Response(r, 200, "OK")
	res.AppendHeader(sipmsg.NewHeader("Allow", gate.Methods))
	c.session.write(res)
	res.AppendHeader(sipmsg.NewHeader("Content-Type", "application/sdp"))
	res.SetBody(body)
	tx.Respond(res)
	now := time.Now()
	c.answer = &answer{tx: tx, res: res, seq: r.CSeq().SeqNo, late: len(r.Body()) == 0,
		next: now.Add(sipmsg.T1), gap: sipmsg.T1, until: now.Add(ackTime)}
}

// answer is a 2xx of ours that the phone has not acknowledged.
type answer struct {
	tx    sipmsg.ServerTransaction
	res   *sipmsg.Response
	seq   uint32
	late  bool // our body was the offer: the ACK brings the answer
	next  time.Time
	gap   time.Duration
	until time.Time
}

// again repeats the answer when it is time. It reports false when the phone never acknowledged.
func (a *answer) again(now time.Time) bool {
	if now.After(a.until) {
		return false
	}
	if !now.Before(a.next) {
		a.tx.Respond(a.res)
		a.gap = min(2*a.gap, sipmsg.T2)
		a.next = now.Add(a.gap)
	}
	return true
}
