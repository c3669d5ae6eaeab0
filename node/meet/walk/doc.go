// Package walk fetches and stores one signed item (BEP44, mutable, no salt) by walking the Mainline
// DHT over a net.PacketConn that it is given.
//
// github.com/anacrolix/dht/v2 speaks the protocol, but it cannot be let near strangers: one
// unauthenticated packet ends the process. So a guard stands between every wire and the library,
// and the walk is our own:
//
//	wire <-> guard <-> dht.Server (transactions) <-> walk (whom to ask, what to believe)
//
// The guard lets through only the answers to questions that were asked, of the address that was
// asked, and rewrites them so that nothing is left which the library reads carelessly. Each
// operation has its own dht.Server, random node id and random transaction ids: the nodes asked
// cannot tell that two operations are of one process.
//
// IPv4 and IPv6 are two DHTs (BEP32) that are walked side by side where the road carries both; an
// item is stored in both.
//
// It does not know what an item means, who signed it, or how packets travel.
package walk

import "errors"

var (
	// ErrNotFound: the nodes nearest to the key answered, and none of them holds a valid item.
	ErrNotFound = errors.New("no such item is stored")
	// ErrNoNodes: there was nobody to ask, or nobody answered.
	ErrNoNodes = errors.New("no DHT node answered")
	// ErrLost: the packet conn failed during the operation.
	ErrLost = errors.New("the road to the DHT was lost")
	// ErrTaken: the caller of Put saw what is stored there and left it alone.
	ErrTaken = errors.New("another item is stored there")
)
