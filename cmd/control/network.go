// Requests about what opens the network: gateways, relays, bundles, and who sees what.

package control

import (
	"net/http"

	"nightjar/cmd/control/api"
	"nightjar/node"
	"nightjar/node/card"
)

func (e Engine) networkRoutes() map[string]handler {
	return map[string]handler{
		"GET /v1/gateways":                e.gateways,
		"POST /v1/gateways":               e.addGateway,
		"DELETE /v1/gateways/{line}":      e.removeGateway,
		"POST /v1/relays":                 e.addRelay,
		"GET /v1/bundle":                  e.bundle,
		"POST /v1/bundle":                 e.importBundle,
		"GET /v1/contacts/{name}/explain": e.explain,
		"POST /v1/check":                  e.check,
	}
}

func (e Engine) gateways(*http.Request) (any, error) {
	out := []string{}
	for _, g := range e.Node.Gateways() {
		out = append(out, g.String())
	}
	return out, nil
}

func (e Engine) addGateway(r *http.Request) (any, error) {
	q, err := body[api.GatewayRequest](r)
	if err != nil {
		return nil, err
	}
	g, err := card.ParseGateway(q.Gateway)
	if err != nil {
		return nil, err
	}
	return nothing(e.Node.AddGateway(g))
}

func (e Engine) removeGateway(r *http.Request) (any, error) {
	g, err := card.ParseGateway(r.PathValue("line"))
	if err != nil {
		return nil, err
	}
	return nothing(e.Node.RemoveGateway(g))
}

func (e Engine) addRelay(r *http.Request) (any, error) {
	q, err := body[api.RelayRequest](r)
	if err != nil {
		return nil, err
	}
	return nothing(e.Node.AddRelay(q.URL))
}

func (e Engine) bundle(*http.Request) (any, error) {
	text, err := e.Node.ExportBundle()
	return api.Bundle{Bundle: text}, err
}

func (e Engine) importBundle(r *http.Request) (any, error) {
	q, err := body[api.Bundle](r)
	if err != nil {
		return nil, err
	}
	in, offers, err := e.Node.ImportBundle(q.Bundle)
	if err != nil {
		return nil, err
	}
	return api.Imported{Gateways: len(in.Gateways), Nodes: len(in.Nodes), Relays: len(in.Relays),
		Bridges: append([]string{}, offers.Bridges...), Offered: offers.Relays}, nil
}

func (e Engine) explain(r *http.Request) (any, error) {
	steps, err := e.Node.Explain(r.PathValue("name"))
	if steps == nil {
		steps = []node.Step{}
	}
	return steps, err
}

func (e Engine) check(*http.Request) (any, error) {
	e.Node.Check()
	return struct{}{}, nil
}
