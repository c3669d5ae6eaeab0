// Requests about our own cards.

package control

import (
	"net/http"
	"time"

	"nightjar/cmd/control/api"
	"nightjar/node"
	"nightjar/node/card"
)

func (e Engine) cardRoutes() map[string]handler {
	return map[string]handler{
		"POST /v1/card":         e.card,
		"GET /v1/cards":         e.cards,
		"DELETE /v1/cards/{id}": e.revoke,
		"POST /v1/open":         e.open,
	}
}

func (e Engine) card(r *http.Request) (any, error) {
	q, err := body[api.CardRequest](r)
	if err != nil {
		return nil, err
	}
	text, err := e.makeCard(q)
	if err != nil {
		return nil, err
	}
	reply := api.CardReply{Card: text}
	if c, err := card.Parse(text); err == nil && len(c.Gateways) == 0 {
		reply.Next = "this card carries no gateway: whoever adds it must know one. It carries " +
			"those you gave with nightjar gateway add, not those of other people's cards"
	}
	if reply.Next == "" && q.Full {
		reply.Next = lacksBridges(text)
	}
	return reply, nil
}

// lacksBridges tells of a full card without bridges; "" if it has some.
func lacksBridges(text string) string {
	if c, err := card.Parse(text); err != nil || len(c.Bridges) > 0 {
		return ""
	}
	return "this card carries no bridge: whoever adds it where tor is blocked must have one. It " +
		"carries those you gave with nightjar bridge add"
}

// makeCard returns the card for everybody, or a new one for whatever was asked.
func (e Engine) makeCard(q api.CardRequest) (string, error) {
	o := node.CardOptions{Uses: q.Uses, For: time.Duration(q.Hours) * time.Hour,
		Bell: q.Doorbell, Full: q.Full}
	if o == (node.CardOptions{}) {
		return e.Node.Card(q.Fresh)
	}
	return e.Node.NewCard(o)
}

func (e Engine) cards(*http.Request) (any, error) { return e.Node.Cards(), nil }

func (e Engine) revoke(r *http.Request) (any, error) {
	return nothing(e.Node.RevokeCard(r.PathValue("id")))
}

func (e Engine) open(r *http.Request) (any, error) {
	q, err := body[api.OpenRequest](r)
	if err != nil {
		return nil, err
	}
	return nothing(e.Node.SetOpen(q.Open))
}
