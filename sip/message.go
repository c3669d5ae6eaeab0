// Texts: from the phone into the engine's queue, from the engine to the phone.

package sip

import (
	"context"
	"mime"
	"strings"
	"time"

	"nightjar/node/talk"
	"nightjar/sip/stack"

	sipmsg "github.com/emiago/sipgo/sip"
)

// deliverTime is how long a phone has to take a text.
const deliverTime = 10 * time.Second

// Deliver shows a text of a contact on the registered phone. It reports whether the phone said
// that it has it; false when no phone is there, refuses, or is silent for 10 s.
func (p *Phone) Deliver(contact, text string) bool {
	peer, ok := p.bound()
	if !ok || talk.CheckText(text) != nil || !p.crew.join() {
		return false
	}
	defer p.crew.leave()
	ctx, cancel := context.WithTimeout(context.Background(), deliverTime)
	defer cancel()
	r := p.stack.Calling(contact, p.user, peer).Request(sipmsg.MESSAGE)
	r.RemoveHeader("Contact") // RFC 3428 section 7: none in MESSAGE
	r.AppendHeader(sipmsg.NewHeader("Content-Type", "text/plain;charset=UTF-8"))
	r.SetBody([]byte(text))
	res, err := p.stack.Do(ctx, r, peer)
	return err == nil && res.IsSuccess()
}

// message answers MESSAGE outside a dialog, and inside one with the same meaning.
func (p *Phone) message(ctx context.Context, r *sipmsg.Request, tx sipmsg.ServerTransaction) {
	name, ok := p.contact(r.Recipient)
	if !ok {
		tx.Respond(stack.Response(r, 404, "Not Found"))
		return
	}
	tx.Respond(p.text(ctx, name, r))
}

// text queues the text of a request for a contact and makes the response.
func (p *Phone) text(ctx context.Context, name string, r *sipmsg.Request) *sipmsg.Response {
	if !plainText(r) {
		res := stack.Response(r, 415, "Unsupported Media Type")
		res.AppendHeader(sipmsg.NewHeader("Accept", "text/plain"))
		return res
	}
	body := string(r.Body())
	switch {
	case len(body) > talk.MaxText:
		return stack.Response(r, 413, "Request Entity Too Large")
	case talk.CheckText(body) != nil:
		return stack.Response(r, 400, "Bad Request")
	case p.engine.Send(ctx, name, body) != nil:
		return stack.Response(r, 480, "Temporarily Unavailable")
	}
	return stack.Response(r, 202, "Accepted")
}

// plainText reports whether the body is text/plain in UTF-8 (or its part US-ASCII), not packed.
func plainText(r *sipmsg.Request) bool {
	if e := r.GetHeader("Content-Encoding"); e != nil || r.ContentType() == nil {
		return false
	}
	kind, params, err := mime.ParseMediaType(r.ContentType().Value())
	if err != nil || kind != "text/plain" {
		return false
	}
	set := strings.ToLower(params["charset"])
	return set == "" || set == "utf-8" || set == "us-ascii"
}
