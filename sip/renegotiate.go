// Changing a session that is on: hold and resume from either side, refreshes, glare, and the
// session timer.

package sip

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"nightjar/sip/media"

	sipmsg "github.com/emiago/sipgo/sip"
)

// offer is a re-INVITE of ours on its way.
type offer struct {
	dir media.Direction
}

// reoffered answers a re-INVITE or UPDATE of the phone (RFC 3264 section 8, RFC 3311).
func (c *call) reoffered(in inbound) {
	respond := func(code int, phrase string) { in.tx.Respond(c.d.Response(in.req, code, phrase)) }
	if c.answer != nil && !c.answer.late {
		c.answer = nil // the phone goes on, so it has our answer; its ACK was overtaken
	}
	exp, s := readExpiry(in.req)
	switch {
	case s.code != 0:
		res := c.d.Response(in.req, s.code, s.phrase)
		res.AppendHeader(sipmsg.NewHeader("Min-SE", seconds(minSession)))
		in.tx.Respond(res)
		return
	case c.offer != nil, c.answer != nil, c.phone == nil:
		respond(491, "Request Pending")
		return
	}
	d, s := readOffer(in.req)
	if d != nil {
		if _, ok := d.Format(c.codec); !ok {
			s = status{488, "Not Acceptable Here"}
		}
	}
	if s.code != 0 {
		respond(s.code, s.phrase)
		return
	}
	if exp.set {
		c.session = exp
	}
	body, err := c.redescribe(d)
	switch {
	case err != nil:
		respond(500, "Server Internal Error")
	case in.req.Method == sipmsg.INVITE:
		c.respond(in.req, in.tx, body)
	default:
		res := c.d.Response(in.req, 200, "OK")
		c.session.write(res)
		if d != nil {
			res.AppendHeader(sipmsg.NewHeader("Content-Type", "application/sdp"))
			res.SetBody(body)
		}
		in.tx.Respond(res)
	}
}

// redescribe writes our side anew: an answer to d, or our offer if the phone made none.
func (c *call) redescribe(d *media.Description) ([]byte, error) {
	c.local.Version++
	if d == nil {
		return c.local.Again(c.phone, c.codec, c.direction(media.SendRecv))
	}
	c.settle(d)
	return c.local.Answer(d, c.codec, c.dir)
}

// reoffer sends a re-INVITE that tells the phone of the far side's hold.
func (c *call) reoffer(help helper) {
	if c.phone == nil {
		return
	}
	o := &offer{dir: c.direction(c.phone.Direction)}
	c.wanted = false
	c.local.Version++
	body, err := c.local.Again(c.phone, c.codec, o.dir)
	if err != nil {
		return
	}
	c.offer = o
	r := c.d.Request(sipmsg.INVITE)
	r.AppendHeader(sipmsg.NewHeader("Content-Type", "application/sdp"))
	r.SetBody(body)
	help(func(ctx context.Context) { c.news <- news{c.propose(ctx, r), o} })
}

// propose sends a re-INVITE, acknowledges what comes, and returns it; nil if nothing came.
func (c *call) propose(ctx context.Context, r *sipmsg.Request) *sipmsg.Response {
	ctx, cancel := context.WithTimeout(ctx, ackTime)
	defer cancel()
	tx, err := c.p.stack.Begin(ctx, r, c.p.reach(c.d))
	if err != nil {
		return nil
	}
	defer tx.Terminate()
	for {
		select {
		case res := <-tx.Responses():
			if res.IsSuccess() {
				c.p.stack.Write(c.d.Ack(r), c.d.Peer())
			}
			if !res.IsProvisional() {
				return res
			}
		case <-tx.Done():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// heard takes the outcome of a request of ours. It reports false if the phone is gone.
func (c *call) heard(n news) bool {
	if n.offer != nil {
		c.offer = nil
	}
	switch {
	case n.res == nil:
		return false
	case n.offer == nil:
		return true
	case n.res.StatusCode == 491:
		c.wanted, c.retryAt = true, time.Now().Add(glareWait())
	case n.res.StatusCode == 481 || n.res.StatusCode == 408:
		return false
	case n.res.IsSuccess():
		c.dir = n.offer.dir
		if d, err := media.ParseSDP(n.res.Body()); err == nil {
			if _, ok := d.Format(c.codec); ok {
				d.Direction = c.phone.Direction // its answer to our hold is not a hold of its own
				c.phone = d
			}
		}
		c.aim()
	}
	return true // a phone that refuses to be shown a hold is still in the call
}

// glareWait is 2.1 to 4 s (RFC 3261 section 14.1).
func glareWait() time.Duration {
	var r [2]byte
	rand.Read(r[:])
	extra := time.Duration(binary.BigEndian.Uint16(r[:])%1900) * time.Millisecond
	return 2100*time.Millisecond + extra
}

// minSession is the shortest session timer that is accepted (RFC 4028 section 4).
const minSession = 90 * time.Second

// expiry is the session timer that the phone asked for; the phone refreshes.
type expiry struct {
	set   bool
	every time.Duration
	until time.Time
}

// readExpiry reads the session timer of a request. Too short a one is refused with 422.
func readExpiry(r *sipmsg.Request) (expiry, status) {
	h := r.GetHeader("Session-Expires")
	if h == nil || !supports(r, "timer") {
		return expiry{}, status{}
	}
	value, _, _ := strings.Cut(h.Value(), ";")
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 24)
	if err != nil {
		return expiry{}, status{400, "Bad Request"}
	}
	every := time.Duration(n) * time.Second
	if every < minSession {
		return expiry{}, status{422, "Session Interval Too Small"}
	}
	return expiry{true, every, time.Now().Add(every)}, status{}
}

// supports reports whether a request lists an option tag.
func supports(r *sipmsg.Request, tag string) bool {
	for _, h := range r.GetHeaders("Supported") {
		for _, t := range strings.Split(h.Value(), ",") {
			if strings.TrimSpace(t) == tag {
				return true
			}
		}
	}
	return false
}

// write puts the timer into a 2xx: the phone refreshes.
func (e expiry) write(res *sipmsg.Response) {
	if e.set {
		res.AppendHeader(sipmsg.NewHeader("Require", "timer"))
		res.AppendHeader(sipmsg.NewHeader("Session-Expires", seconds(e.every)+";refresher=uac"))
	}
}

// over reports whether the phone missed its refresh.
func (e expiry) over(now time.Time) bool { return e.set && now.After(e.until) }
