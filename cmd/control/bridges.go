// Requests about bridges: the ways into the network that an identity knows.

package control

import (
	"maps"
	"net/http"
	"slices"

	"nightjar/cmd/control/api"
	"nightjar/node"
	"nightjar/onion/bridge"
)

func (e Engine) bridgeRoutes() map[string]handler {
	return map[string]handler{
		"GET /v1/bridges":           e.bridges,
		"POST /v1/bridges":          e.addBridge,
		"DELETE /v1/bridges/{line}": e.removeBridge,
		"POST /v1/bridges/only":     e.bridgesOnly,

		"POST /v1/contacts/{name}/bridge": e.offerBridge,
	}
}

// Bridges says which ways into the network an identity knows. A line that cannot be read has no
// kind; one that a contact offers is then left out.
func Bridges(e node.Entries) api.Bridges {
	out := api.Bridges{Only: e.Only, Bridges: []api.Bridge{}, Offers: []api.BridgeOffer{}}
	for _, contact := range slices.Sorted(maps.Keys(e.Offers)) {
		line := e.Offers[contact]
		if l, err := bridge.Parse(line); err == nil && l.String() == line {
			out.Offers = append(out.Offers, api.BridgeOffer{Contact: contact, Line: line})
		}
	}
	for _, line := range e.Bridges {
		b := api.Bridge{Line: line, Worked: line == e.Last}
		if l, err := bridge.Parse(line); err == nil {
			b.Kind = l.Kind()
		}
		out.Bridges = append(out.Bridges, b)
	}
	return out
}

func (e Engine) bridges(*http.Request) (any, error) { return Bridges(e.Node.Entries()), nil }

func (e Engine) addBridge(r *http.Request) (any, error) {
	q, err := body[api.BridgeRequest](r)
	if err != nil {
		return nil, err
	}
	l, err := bridge.Parse(q.Line)
	if err != nil {
		return nil, err
	}
	return nothing(e.Node.AddBridge(l.String()))
}

func (e Engine) removeBridge(r *http.Request) (any, error) {
	return nothing(e.Node.RemoveBridge(r.PathValue("line")))
}

func (e Engine) offerBridge(r *http.Request) (any, error) {
	q, err := body[api.BridgeRequest](r)
	if err != nil {
		return nil, err
	}
	l, err := bridge.Parse(q.Line)
	if err != nil {
		return nil, err
	}
	return nothing(e.Node.OfferBridge(r.PathValue("name"), l.String()))
}

func (e Engine) bridgesOnly(r *http.Request) (any, error) {
	q, err := body[api.BridgesOnlyRequest](r)
	if err != nil {
		return nil, err
	}
	return nothing(e.Node.SetBridgesOnly(q.Only))
}
