// Package relay is the short way to the DHT: one request, and somebody else walks. It speaks HTTP
// as the relay specification of pkarr has it (design/relays.md of the pkarr project), so that any
// pkarr relay serves us, and ours serves any pkarr client.
//
//	GET /<key>    200 and a payload; 404 when nothing is stored
//	PUT /<key>    204, and how many nodes took it in the header Pkarr-Dht-Stored-Nodes;
//	              400 a payload that is not signed by the key, or no DNS message;
//	              409 something newer is stored; 412 If-Match named another than what is stored;
//	              428 another of this key is being stored, and there is no If-Match;
//	              500 no node took it
//	OPTIONS       204
//	              413 too large; 429 too busy; 503 the DHT does not answer
//
// The key is Ed25519 in z-base32, 52 characters. A payload, at most 1072 bytes:
//
//	offset size  what
//	0      64    Ed25519 signature (BEP44)
//	64     8     seq, big endian
//	72     n     value: a DNS message, at most 996 bytes (1000 when bencoded)
//
// A client believes a relay nothing but what is signed: a relay can hide an item, show an old one
// and say that it stored what it did not. Whoever asks must have another way to check.
//
// The package does not know what items mean. It opens nothing: it is given streams and roads.
package relay

import "errors"

var (
	// ErrPayload is returned for bytes that are no signed item of a key.
	ErrPayload = errors.New("not a signed item of this key")
	// ErrNotFound: the relay says that nothing is stored.
	ErrNotFound = errors.New("the relay found nothing")
	// ErrOlder: the relay says that something newer is stored.
	ErrOlder = errors.New("the relay knows something newer")
	// ErrRelay: the relay did not answer, or not as a relay does.
	ErrRelay = errors.New("the relay does not work")
	// ErrUnproven: the relay's certificate does not prove its name to us.
	ErrUnproven = errors.New("the relay does not prove who it is")
)
