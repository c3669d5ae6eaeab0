// Who is there, told to the phone, and the small requests around it. What the phone says of its
// own presence is thanked for and forgotten: it goes nowhere.

package sip

import (
	"context"
	"strings"
	"sync"
	"time"

	"nightjar/sip/gate"
	"nightjar/sip/stack"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Bounds of subscriptions.
const (
	maxSubs    = 64
	subTime    = 10 * time.Minute
	lookEvery  = 5 * time.Second // how often the engine is asked who is online
	notifyTime = 4 * time.Second
)

// subscription is one contact that the phone watches.
type subscription struct {
	dialog *stack.Dialog
	name   string
	until  time.Time
	told   bool // the phone was told something
	online bool // what it was told
}

// subscriptions are all that the phone watches, by dialog key.
type subscriptions struct {
	mu *sync.Mutex
	m  map[string]*subscription
}

func newSubscriptions() subscriptions {
	return subscriptions{new(sync.Mutex), map[string]*subscription{}}
}

// subscribe answers SUBSCRIBE for presence (RFC 6665, RFC 3856); other events are refused.
func (p *Phone) subscribe(ctx context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	name, ok := p.contact(r.Recipient)
	switch {
	case !presence(r):
		tx.Respond(badEvent(r))
		return
	case !ok:
		tx.Respond(stack.Response(r, 404, "Not Found"))
		return
	}
	d, ok := p.stack.Answering(r)
	life := subscriptionLife(r)
	s := &subscription{dialog: d, name: name, until: time.Now().Add(life)}
	if !ok || !p.subs.add(s, life) {
		tx.Respond(stack.Response(r, 503, "Service Unavailable"))
		return
	}
	res := d.Response(r, 200, "OK")
	res.AppendHeader(sipmsg.NewHeader("Expires", seconds(life)))
	tx.Respond(res)
	p.notify(ctx, s, life > 0)
}

// resubscribe answers SUBSCRIBE inside a subscription. It reports false if it is of none.
func (p *Phone) resubscribe(ctx context.Context, r *sipmsg.Request,
	tx sipmsg.ServerTransaction) bool {
	key, life := stack.KeyOf(r), subscriptionLife(r)
	p.subs.mu.Lock()
	s := p.subs.m[key]
	if s != nil {
		s.until = time.Now().Add(life)
		if life == 0 {
			delete(p.subs.m, key)
		}
	}
	p.subs.mu.Unlock()
	if s == nil {
		return false
	}
	ours, ordered := s.dialog.Admit(r)
	if !ours || !ordered {
		tx.Respond(stack.Response(r, 481, "Subscription Does Not Exist"))
		return true
	}
	res := s.dialog.Response(r, 200, "OK")
	res.AppendHeader(sipmsg.NewHeader("Expires", seconds(life)))
	tx.Respond(res)
	p.notify(ctx, s, life > 0)
	return true
}

// add keeps a subscription that lasts; false when there are too many.
func (l subscriptions) add(s *subscription, life time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.m) >= maxSubs {
		return false
	}
	if life > 0 {
		l.m[s.dialog.Key()] = s
	}
	return true
}

// watch tells the phone when a contact comes or goes, until ctx ends.
func (p *Phone) watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, s := range p.subs.due(p.engine.Online) {
			p.notify(ctx, s, true)
		}
	}
}

// due drops what has run out and returns those whose contact changed.
func (l subscriptions) due(online func(string) bool) []*subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []*subscription
	for key, s := range l.m {
		if time.Now().After(s.until) {
			delete(l.m, key)
		} else if !s.told || s.online != online(s.name) {
			list = append(list, s)
		}
	}
	return list
}

// notify sends the state of a contact. A phone that refuses or is gone is asked no more.
func (p *Phone) notify(ctx context.Context, s *subscription, active bool) {
	ctx, cancel := context.WithTimeout(ctx, notifyTime)
	defer cancel()
	online := p.engine.Online(s.name)
	p.subs.mu.Lock()
	s.told, s.online = true, online
	left := time.Until(s.until)
	p.subs.mu.Unlock()
	r := s.dialog.Request(sipmsg.NOTIFY)
	r.AppendHeader(sipmsg.NewHeader("Event", "presence"))
	state := "terminated;reason=timeout"
	if active {
		state = "active;expires=" + seconds(left)
	}
	r.AppendHeader(sipmsg.NewHeader("Subscription-State", state))
	r.AppendHeader(sipmsg.NewHeader("Content-Type", "application/pidf+xml"))
	uri := stack.URI(s.name, p.at)
	r.SetBody(pidf(uri.String(), online))
	res, err := p.stack.Do(ctx, r, s.dialog.Peer())
	if err != nil || !res.IsSuccess() {
		p.subs.mu.Lock()
		delete(p.subs.m, s.dialog.Key())
		p.subs.mu.Unlock()
	}
}

// pidf is the smallest presence document (RFC 3863).
func pidf(uri string, online bool) []byte {
	basic := "closed"
	if online {
		basic = "open"
	}
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\r\n" +
		`<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="` + uri + `">` +
		`<tuple id="t"><status><basic>` + basic + `</basic></status></tuple></presence>` + "\r\n")
}

// subscriptionLife is how long a subscription lasts, at most subTime.
func subscriptionLife(r *sipmsg.Request) time.Duration {
	if e := r.GetHeader("Expires"); e != nil {
		return min(expires(e.Value()), subTime)
	}
	return subTime
}

func presence(r *sipmsg.Request) bool {
	e := r.GetHeader("Event")
	if e == nil {
		return false
	}
	name, _, _ := strings.Cut(e.Value(), ";")
	return strings.TrimSpace(name) == "presence"
}

func badEvent(r *sipmsg.Request) *sipmsg.Response {
	res := stack.Response(r, 489, "Bad Event")
	res.AppendHeader(sipmsg.NewHeader("Allow-Events", "presence"))
	return res
}

// publish thanks the phone for its presence (RFC 3903) and forgets it.
func (p *Phone) publish(_ context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	if !presence(r) {
		tx.Respond(badEvent(r))
		return
	}
	res := stack.Response(r, 200, "OK")
	res.AppendHeader(sipmsg.NewHeader("SIP-ETag", stack.Token()))
	res.AppendHeader(sipmsg.NewHeader("Expires", seconds(subscriptionLife(r))))
	tx.Respond(res)
}

// options says what we can do.
func (p *Phone) options(_ context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	res := stack.Response(r, 200, "OK")
	res.AppendHeader(sipmsg.NewHeader("Allow", gate.Methods))
	res.AppendHeader(sipmsg.NewHeader("Accept", "application/sdp, text/plain"))
	tx.Respond(res)
}

// refer refuses to be sent elsewhere: a transfer would tell one contact of another.
func (p *Phone) refer(_ context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	tx.Respond(stack.Response(r, 603, "Decline"))
}

// stray answers a request that belongs to no dialog of ours.
func (p *Phone) stray(_ context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	tx.Respond(stack.Response(r, 481, "Call/Transaction Does Not Exist"))
}

// unknown answers what we do not know at all.
func (p *Phone) unknown(_ context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	res := stack.Response(r, 405, "Method Not Allowed")
	res.AppendHeader(sipmsg.NewHeader("Allow", gate.Methods))
	tx.Respond(res)
}
