// Bodies about bridges.

package api

// Bridges is the answer to GET /v1/bridges.
type Bridges struct {
	Bridges []Bridge `json:"bridges"`
	Only    bool     `json:"only"` // the network is never entered but by a bridge
	// Offers are bridges that contacts named, one each; none is used unless it is added.
	Offers []BridgeOffer `json:"offers"`
}

// BridgeOffer is a bridge that a contact named.
type BridgeOffer struct {
	Contact string `json:"contact"`
	Line    string `json:"line"` // show it escaped: who wrote it is somebody else
}

// Bridge is one way into the network.
type Bridge struct {
	Line   string `json:"line"`
	Kind   string `json:"kind"`   // vanilla, obfs4, meek_lite, snowflake, webtunnel; "": unreadable
	Worked bool   `json:"worked"` // the network was entered by this one last
}

// BridgeRequest is the body of POST /v1/bridges, which counts from the next start, and of POST
// /v1/contacts/{name}/bridge.
type BridgeRequest struct {
	Line string `json:"line"`
}

// BridgesOnlyRequest is the body of POST /v1/bridges/only.
type BridgesOnlyRequest struct {
	Only bool `json:"only"`
}
