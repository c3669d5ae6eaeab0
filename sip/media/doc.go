// Package media is the local voice side of a call: what a phone's SDP says, what we answer,
// and the RTP between the phone and the frames of a [talk.Call].
//
// It does not know SIP, contacts or accounts, and it opens no socket of its own. Nothing of a
// phone's SDP, RTP head or RTCP leaves it: in go 20 ms frames and key presses, out come RTP
// packets that are written anew with our own source, sequence and clock.
//
// The cores are pure and have no clock: sdp.go (offer and answer), framer.go (packets to
// frames), playout.go (frames to a steady pace), keys.go (RFC 4733). Session joins them to two
// loopback sockets.
//
// An RTP packet that we accept (RFC 3550 section 5.1):
//
//	offset  size  what
//	0       1     version 2 | padding | extension | csrc count
//	1       1     marker | payload type, one that was negotiated
//	2       2     sequence number
//	4       4     timestamp
//	8       4     ssrc
//	12      ..    csrc and extension are skipped; payload, padding removed
package media
