// Package serve is a node of the Mainline DHT for everybody: it answers what strangers ask (BEP5
// and BEP44), so that who lends a gateway gives the network back what its users take.
//
// It trusts nobody. A packet is read by package walk's rules before anything looks into it. Memory,
// answers and own questions have bounds, in all and for each address. It is no amplifier: an answer
// has at most three and a half times the bytes of its question, but for stored items, of which an
// address that never proved itself gets four a second. It keeps nothing of who asked for what, and
// no peers of torrents: get_peers is answered with nodes alone, announce_peer with nothing.
//
//	Server   the node: one conn, one kind of address
//	table    other nodes that answered us (pure)
//	store    items of others, for two hours (pure)
//	limits   how fast which address is answered (pure)
//
// It does not use the serving half of github.com/anacrolix/dht/v2: decisions/024 says why.
package serve

import "time"

const (
	maxPacket = 1500
	bucket    = 8   // nodes of one distance; so many are named in an answer
	maxNodes  = 400 // in the table
	maxAsked  = 256 // own questions that wait for an answer

	answerTime  = 3 * time.Second  // for an answer to a question of ours
	quietTime   = 15 * time.Minute // a node that was silent so long is asked again (BEP5)
	tick        = time.Second
	ownPerTick  = 8 // own questions in a tick
	refreshTime = 30 * time.Second
	fewNodes    = 2 * bucket // with fewer nodes in the table more are looked for

	maxItems   = 2000 // about 3 MB
	maxOfOne   = 200  // items that came from one network
	itemTime   = 2 * time.Hour
	tokenTime  = 5 * time.Minute  // a token is good for one to two of these
	provenTime = 10 * time.Minute // how long an address stays proven
	maxProven  = 4096

	answersRate = 200 // per second, in all
	hostRate    = 20  // per second, to one address
	largeRate   = 50  // per second, items to those who proved nothing
	largeHost   = 4   // and to one of them
)
