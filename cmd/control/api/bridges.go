// Bodies about bridges.

package api

// Bridges is the answer to GET /v1/bridges.
type Bridges struct {
	Bridges []Bridge `json:"bridges"`
	Only    bool     `json:"only"` // the network is never entered but by a bridge
}

// Bridge is one way into the network.
type Bridge struct {
	Line   string `json:"line"`
	Kind   string `json:"kind"`   // vanilla, obfs4, meek_lite, snowflake, webtunnel; "": unreadable
	Worked bool   `json:"worked"` // the network was entered by this one last
}

// BridgeRequest is the body of POST /v1/bridges. It counts from the next start.
type BridgeRequest struct {
	Line string `json:"line"`
}

// BridgesOnlyRequest is the body of POST /v1/bridges/only.
type BridgesOnlyRequest struct {
	Only bool `json:"only"`
}
