// Package sip is the phone's door: a SIP phone on this machine registers here and rings, calls
// and writes as it would with any provider.
//
// SIP ends here. The phone's messages and calls become texts and a [talk.Call]; what the far
// side says becomes SIP and RTP written anew by us. Not one byte of a phone's SIP, SDP or RTCP
// goes further, and nothing of the far side's reaches the phone but text, audio frames, key
// presses and the state of the call.
//
// It opens loopback sockets only, all through [Sockets]. It does not know how a contact is
// reached, nor who it is beyond a local name.
//
//	sip/sockets   loopback sockets, and their twin in memory
//	sip/gate      what of a datagram or stream is let in: rules, password, rates
//	sip/stack     the SIP library shut in, and dialogs
//	sip/media     the voice of one call
//	sip           registration, messages, presence, calls
//
// What a phone may send and what it is sent is written down in docs/phone.md.
package sip
