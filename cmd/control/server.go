// The side of the socket that answers.

package control

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"nightjar/cmd/control/api"
	"nightjar/node"
	"nightjar/node/book"
	"nightjar/node/talk"
)

// maxBody is the largest request body in bytes.
const maxBody = 160 << 10 // a bundle, escaped

// Engine is what a door opens to. The functions tell what only the owner of the process knows.
type Engine struct {
	Node   *node.Node
	Status func() api.Status // everything but what Node itself knows
	Phone  func() api.Phone
	// Derived says that the identity follows from a codename: whoever it adds may know it already.
	Derived bool
}

// lastAnswers is how long requests may go on that were begun before the end.
const lastAnswers = 500 * time.Millisecond

// Serve answers on l until ctx ends, and what was asked by then. It closes l.
func Serve(ctx context.Context, l net.Listener, d *Door) error {
	srv := &http.Server{
		Handler:           d,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
		defer cancel()
		_ = srv.Shutdown(late)
		_ = srv.Close()
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return bare(err)
	}
	<-done
	return nil
}

// handler answers one request with something to show as JSON, or an error.
type handler func(r *http.Request) (any, error)

func (e Engine) routes() http.Handler {
	mux := http.NewServeMux()
	routes := map[string]handler{
		"GET /v1/status":                  e.status,
		"GET /v1/contacts":                e.contacts,
		"POST /v1/contacts":               e.invite,
		"POST /v1/contacts/{name}/accept": e.accept,
		"POST /v1/contacts/{name}/refuse": e.refuse,
		"POST /v1/contacts/{name}/block":  e.block,
		"DELETE /v1/contacts/{name}":      e.remove,
		"GET /v1/messages":                e.messages,
		"POST /v1/messages":               e.send,
		"POST /v1/messages/read":          e.read,
		"GET /v1/phone":                   e.phone,
	}
	maps.Copy(routes, e.cardRoutes())
	maps.Copy(routes, e.networkRoutes())
	maps.Copy(routes, e.bridgeRoutes())
	for pattern, h := range routes {
		mux.HandleFunc(pattern, answer(h))
	}
	mux.HandleFunc("GET /v1/events", e.events)
	return mux
}

// answer turns a handler into HTTP.
func answer(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		out, err := h(r)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			e, status := asError(err)
			w.WriteHeader(status)
			out = e
		}
		_ = json.NewEncoder(w).Encode(out)
	}
}

// body reads a request's JSON; an unknown field is an error, so that a typo is not silence.
func body[T any](r *http.Request) (v T, err error) {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if dec.Decode(&v) != nil || dec.More() {
		return v, errRequest
	}
	return v, nil
}

// nothing is the answer to a request that only does something.
func nothing(err error) (any, error) { return struct{}{}, err }

func (e Engine) status(*http.Request) (any, error) {
	s, n := e.Status(), e.Node.Status()
	s.Address, s.Name, s.Reachable = n.Address.String(), n.Name, n.Reachable
	s.Gateways, s.Contacts, s.Connected = n.Gateways, n.Contacts, n.Connected
	s.Unread, s.Pending, s.Calls = n.Unread, n.Pending, n.Calls
	s.Network, s.Warnings = n.Network, append(s.Warnings, n.Warnings...)
	asking := 0
	for _, c := range e.Node.Contacts() {
		if c.Standing == book.Asking {
			asking++
		}
	}
	switch {
	case asking > 0:
		s.Next = "somebody asks to be in touch: nightjar contact list"
	case e.lacksGateway():
		s.Next = "no gateway is known: add a contact by a card that carries one, or " +
			"nightjar gateway add LINE"
	case !n.Reachable:
		s.Next = "wait until contacts can reach you"
	case n.Contacts == 0:
		s.Next = "nightjar card show, and give the card to somebody; or nightjar contact add CARD"
	}
	return s, nil
}

func (e Engine) contacts(*http.Request) (any, error) {
	out := []api.Contact{}
	for _, c := range e.Node.Contacts() {
		out = append(out, api.Contact{Name: c.Name, Address: c.Address.String(),
			Standing: c.Standing.String(), Connected: c.Connected, Invited: c.Invited,
			Greeting: c.Greeting, Unread: c.Unread, Pending: c.Pending})
	}
	return out, nil
}

func (e Engine) invite(r *http.Request) (any, error) {
	q, err := body[api.InviteRequest](r)
	if err != nil {
		return nil, err
	}
	name, offers, err := e.Node.InviteBy(q.Card,
		node.InviteOptions{Name: q.Name, Greeting: q.Greeting, Both: q.Both})
	reply := api.NameReply{Name: name, Bridges: offers.Bridges, Offered: offers.Relays}
	switch {
	case err != nil:
	case e.lacksGateway():
		reply.Waits = true
		reply.Next = "nightjar gateway add LINE; or ask for a card that carries a gateway"
	case e.Derived:
		reply.Next = "if you were in touch before, you are again as soon as both are there, " +
			"and nobody is asked"
	}
	return reply, err
}

// lacksGateway reports whether the DHT is out of reach for want of a gateway.
func (e Engine) lacksGateway() bool {
	return strings.HasPrefix(e.Status().Path, "tor") && len(e.Node.Gateways()) == 0
}

func (e Engine) accept(r *http.Request) (any, error) {
	q, err := body[api.AcceptRequest](r)
	if err != nil {
		return nil, err
	}
	return nothing(e.Node.Accept(r.PathValue("name"), q.As))
}

func (e Engine) refuse(r *http.Request) (any, error) {
	return nothing(e.Node.Refuse(r.PathValue("name")))
}

func (e Engine) block(r *http.Request) (any, error) {
	return nothing(e.Node.Block(r.PathValue("name")))
}

func (e Engine) remove(r *http.Request) (any, error) {
	return nothing(e.Node.Remove(r.PathValue("name")))
}

func (e Engine) messages(r *http.Request) (any, error) {
	entries, err := e.Node.Messages(r.URL.Query().Get("contact"), false)
	return texts(entries), err
}

func (e Engine) read(r *http.Request) (any, error) {
	q, err := body[api.ReadRequest](r)
	if err != nil {
		return nil, err
	}
	if len(q.IDs) > 0 {
		return e.readThese(q.IDs)
	}
	entries, err := e.Node.Messages(q.Contact, true)
	return texts(entries), err
}

// readThese marks the messages that a program has shown.
func (e Engine) readThese(hexes []string) (any, error) {
	ids := make([]talk.ID, len(hexes))
	for i, h := range hexes {
		b, err := hex.DecodeString(h)
		if err != nil || len(b) != len(ids[i]) {
			return nil, errRequest
		}
		ids[i] = talk.ID(b)
	}
	return []api.Message{}, e.Node.MarkRead(ids)
}

func texts(entries []book.Entry) []api.Message {
	out := []api.Message{}
	for _, t := range entries {
		m := t.Message
		out = append(out, api.Message{ID: hex.EncodeToString(m.ID[:]), Contact: t.With, Out: m.Out,
			Text: m.Text, At: m.At, State: m.State.String()})
	}
	return out
}

func (e Engine) send(r *http.Request) (any, error) {
	q, err := body[api.SendRequest](r)
	if err != nil {
		return nil, err
	}
	id, err := e.Node.Send(r.Context(), q.Contact, q.Text)
	return api.SendReply{ID: hex.EncodeToString(id[:]), State: "queued"}, err
}

func (e Engine) phone(*http.Request) (any, error) { return e.Phone(), nil }

// events writes what happens, a line of JSON each, until either side ends.
func (e Engine) events(w http.ResponseWriter, r *http.Request) {
	ch, stop := e.Node.Watch()
	defer stop()
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := http.NewResponseController(w)
	_ = out.Flush()
	enc := json.NewEncoder(w)
	for {
		select {
		case ev, open := <-ch:
			line := api.Event{Kind: string(ev.Kind), Contact: ev.Contact, Text: ev.Text}
			if !open || enc.Encode(line) != nil || out.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}
