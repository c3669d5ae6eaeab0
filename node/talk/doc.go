// Package talk holds what two contacts say to each other: messages, calls, and the records
// that carry both through a tunnel.
//
// It is pure: no clock, no network, no goroutine, no storage. It does not know who the contacts
// are, how they found each other, or that a phone speaks SIP: nothing of SIP, SDP or RTCP of
// one side ever reaches the other, only the records below.
//
// A record on the talk stream of a tunnel (all integers big endian):
//
//	offset  size  what
//	0       2     n, length of the body, 1..MaxRecord
//	2       n     body: deterministic CBOR (RFC 8949 section 4.2.1) of the map in [Record]
//
// A media datagram is a run of frames, oldest first, at most [MaxMedia] bytes:
//
//	offset  size  what
//	0       2     sequence number of the frame, one per 20 ms, wraps
//	2       1     n, length of the payload, 1..MaxPayload
//	3       n     payload, as the codec made it
//
// Frames already sent are repeated in later datagrams while there is room, so that one lost
// datagram costs nothing.
package talk
