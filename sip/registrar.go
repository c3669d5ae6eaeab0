// Where the phone is: one registration, the newest.

package sip

import (
	"context"
	"strconv"
	"sync"
	"time"

	"nightjar/sip/stack"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Bounds of a registration.
const (
	minExpires     = 30 * time.Second
	maxExpires     = time.Hour
	defaultExpires = 5 * time.Minute
)

// registrar holds the one binding of the account.
type registrar struct {
	mu      sync.Mutex
	set     bool
	peer    stack.Peer
	contact sipmsg.ContactHeader // as the phone wrote it: only ever echoed to the phone
	callID  string
	seq     uint32
	until   time.Time
}

// bound is where the phone is, if one is registered and its way is still open.
func (p *Phone) bound() (stack.Peer, bool) {
	p.reg.mu.Lock()
	peer, ok := p.reg.peer, p.reg.set && time.Now().Before(p.reg.until)
	p.reg.mu.Unlock()
	return peer, ok && p.stack.Alive(peer)
}

// register answers REGISTER (RFC 3261 section 10.3).
func (p *Phone) register(_ context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	peer, ok := stack.PeerOf(r)
	if !ok || r.To().Address.User != p.user {
		tx.Respond(stack.Response(r, 403, "Forbidden"))
		return
	}
	c, life, ok := newest(r)
	if ok && life > 0 && life < minExpires {
		res := stack.Response(r, 423, "Interval Too Brief")
		res.AppendHeader(sipmsg.NewHeader("Min-Expires", seconds(minExpires)))
		tx.Respond(res)
		return
	}
	if ok && !p.reg.take(r, c, peer, min(life, maxExpires)) {
		tx.Respond(stack.Response(r, 500, "Server Internal Error"))
		return
	}
	res := stack.Response(r, 200, "OK")
	p.reg.list(res)
	tx.Respond(res)
}

// newest picks the Contact that counts and its lifetime; without one the phone only asks. A
// phone that moves lists its old address with lifetime 0 beside the new one.
func newest(r *sipmsg.Request) (*sipmsg.ContactHeader, time.Duration, bool) {
	var best *sipmsg.ContactHeader
	var life time.Duration
	for _, h := range r.Headers() {
		c, ok := h.(*sipmsg.ContactHeader)
		if !ok {
			continue
		}
		d := defaultExpires
		if e := r.GetHeader("Expires"); e != nil {
			d = expires(e.Value())
		}
		if e, ok := c.Params.Get("expires"); ok {
			d = expires(e)
		}
		if best == nil || d > 0 {
			best, life = c, d
		}
	}
	return best, life, best != nil
}

// expires reads a number of seconds; nonsense is the default (RFC 3261 section 20.19).
func expires(s string) time.Duration {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return defaultExpires
	}
	return time.Duration(n) * time.Second
}

// seconds is a duration as headers have it, rounded up.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// take sets or removes the binding. It reports false for a request that comes out of order.
func (g *registrar) take(r *sipmsg.Request, c *sipmsg.ContactHeader, peer stack.Peer,
	life time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	id, seq := r.CallID().Value(), r.CSeq().SeqNo
	if g.set && id == g.callID && seq <= g.seq {
		return false
	}
	if life == 0 {
		same := c.Address.Wildcard || c.Address.User == g.contact.Address.User &&
			c.Address.Host == g.contact.Address.Host && c.Address.Port == g.contact.Address.Port
		g.set = g.set && !same // another phone's leaving does not remove this one
		return true
	}
	if c.Address.Wildcard {
		return false
	}
	peer.Target = stack.TargetOf(c, peer)
	g.set, g.peer, g.contact = true, peer, sipmsg.ContactHeader{Address: *c.Address.Clone()}
	g.callID, g.seq, g.until = id, seq, time.Now().Add(life)
	return true
}

// list writes the binding into a response.
func (g *registrar) list(res *sipmsg.Response) {
	g.mu.Lock()
	defer g.mu.Unlock()
	left := time.Until(g.until)
	if !g.set || left <= 0 {
		return
	}
	c := sipmsg.ContactHeader{Address: *g.contact.Address.Clone()}
	c.Params.Add("expires", seconds(left))
	res.AppendHeader(&c)
}
