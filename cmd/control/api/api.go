// Package api is what crosses the control socket, as docs/api.md says: the bodies of requests and
// answers. It knows nothing of how they travel.
package api

import "time"

// Status is the answer to GET /v1/status.
type Status struct {
	Version   string   `json:"version"`
	Address   string   `json:"address"` // ours, 56 characters
	Name      string   `json:"name,omitempty"`
	Path      string   `json:"path"`      // "tor"
	Exposes   []string `json:"exposes"`   // who learns what on this path, in words
	Reachable bool     `json:"reachable"` // contacts can dial us
	Gateways  int      `json:"gateways"`
	Network   int      `json:"network,omitempty"` // nodes the DHT has, estimated
	Contacts  int      `json:"contacts"`
	Connected int      `json:"connected"`
	Unread    int      `json:"unread"`
	Pending   int      `json:"pending"` // messages of ours not yet delivered
	Calls     int      `json:"calls"`
	Phone     bool     `json:"phone_registered"`
	Sealed    bool     `json:"sealed"`         // the kernel gives the engine no network
	Seal      string   `json:"seal"`           // by what means, in words
	Erasure   bool     `json:"secret_erasure"` // runtime/secret is at work
	Warnings  []string `json:"warnings"`       // what is not as safe as it could be, in words
	Next      string   `json:"next,omitempty"` // what to do next, when something is missing
}

// Role says what an engine does.
type Role string

// What an engine can be there for.
const (
	RoleEngine  Role = "engine"  // an identity at work
	RoleGateway Role = "gateway" // lending its UDP
	RoleTool    Role = "tool"    // a command that holds the identity for a moment
)

// Identity is the answer to GET /v1/identity: who is open behind a socket. It is given as soon as
// the password has been; before, all is empty.
type Identity struct {
	Address  string `json:"address,omitempty"`
	Name     string `json:"name,omitempty"`
	Role     Role   `json:"role,omitempty"`
	InMemory bool   `json:"in_memory,omitempty"` // nothing of it is on disk
}

// Contact is one entry of the answer to GET /v1/contacts.
type Contact struct {
	Name      string `json:"name"`
	Address   string `json:"address"`
	Standing  string `json:"standing"` // invited, asking, accepted
	Connected bool   `json:"connected"`
	Invited   bool   `json:"invitation_left"`
	Greeting  string `json:"greeting,omitempty"` // theirs: escape before showing
	Unread    int    `json:"unread"`
	Pending   int    `json:"pending"`
}

// Message is one text between us and a contact.
type Message struct {
	ID      string    `json:"id"` // 32 hexadecimal digits
	Contact string    `json:"contact"`
	Out     bool      `json:"out"` // we wrote it
	Text    string    `json:"text"`
	At      time.Time `json:"at"`    // by our own clock
	State   string    `json:"state"` // queued, sent, delivered, unread, read
}

// Phone is the answer to GET /v1/phone: what to type into a SIP phone.
type Phone struct {
	On         bool              `json:"on"`
	Registered bool              `json:"registered"`
	Settings   []Setting         `json:"settings,omitempty"`
	Paste      map[string]string `json:"paste,omitempty"` // by phone: lines ready to paste
}

// Setting is one field of a phone's account form.
type Setting struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Event is one line of the answer to GET /v1/events.
type Event struct {
	Kind    string `json:"kind"`
	Contact string `json:"contact,omitempty"`
	Text    string `json:"text,omitempty"` // ours, never a contact's
}

// CardRequest is the body of POST /v1/card; CardReply its answer.
type CardRequest struct {
	Fresh bool `json:"fresh"` // a new inbox; the old card still works

	// Each of these makes a new card.
	Uses     uint32 `json:"uses,omitempty"`     // how many may become contacts by it; 0: any number
	Hours    uint32 `json:"hours,omitempty"`    // how long it is good; 0: a year
	Doorbell bool   `json:"doorbell,omitempty"` // invitations come at once; shows when we are there
	Full     bool   `json:"full,omitempty"`     // with bridges, relays and DHT nodes
}

// CardReply is the answer to POST /v1/card.
type CardReply struct {
	Card string `json:"card"`
	Next string `json:"next,omitempty"`
}

// OpenRequest is the body of POST /v1/open.
type OpenRequest struct {
	Open bool `json:"open"` // who knows only the address may ask
}

// InviteRequest is the body of POST /v1/contacts.
type InviteRequest struct {
	Card     string `json:"card"` // a "nightjar:" line or a bare address
	Name     string `json:"name"` // ours for them; "" takes the card's
	Greeting string `json:"greeting"`
	Both     bool   `json:"both,omitempty"` // in the inbox as well as at the doorbell
}

// NameReply names the contact an answer is about.
type NameReply struct {
	Name    string   `json:"name"`
	Bridges []string `json:"bridges,omitempty"`        // of the card, not taken, as in Imported
	Offered []string `json:"offered_relays,omitempty"` // likewise
	Waits   bool     `json:"waits,omitempty"`          // nothing can be sent before Next is done
	Next    string   `json:"next,omitempty"`           // what the user should know or do
}

// AcceptRequest is the body of POST /v1/contacts/NAME/accept.
type AcceptRequest struct {
	As string `json:"as"` // another name; "" keeps it
}

// SendRequest is the body of POST /v1/messages; its answer is a SendReply.
type SendRequest struct {
	Contact string `json:"contact"`
	Text    string `json:"text"`
}

// SendReply is the answer to POST /v1/messages: the message is safe in the vault.
type SendReply struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// ReadRequest is the body of POST /v1/messages/read: the messages of a contact, "" for all, or
// those with these ids and no others.
type ReadRequest struct {
	Contact string   `json:"contact"`
	IDs     []string `json:"ids,omitempty"`
}

// GatewayRequest is the body of POST /v1/gateways.
type GatewayRequest struct {
	Gateway string `json:"gateway"` // the line nightjar gateway prints
}

// RelayRequest is the body of POST /v1/relays.
type RelayRequest struct {
	URL string `json:"url"` // of a pkarr relay
}

// Bundle is the answer to GET /v1/bundle and the body of POST /v1/bundle.
type Bundle struct {
	Bundle string `json:"bundle"` // what nightjar bundle export writes
}

// Imported is the answer to POST /v1/bundle: how much was new and came in.
type Imported struct {
	Gateways int `json:"gateways"`
	Nodes    int `json:"dht_nodes"`
	Relays   int `json:"relays"`
	// Bridges and Offered, https relays, are new and were not taken: escape them, show them, and
	// let the user decide.
	Bridges []string `json:"bridges"`
	Offered []string `json:"offered_relays,omitempty"`
}
