// Package onion holds the ways out of this machine. A Path reaches onion services and publishes
// them, Packets reach addresses; nothing else in this program opens a socket to the outside. A way
// that fails stays failed: nothing falls back to a less hidden one.
//
// Words: a Path is a way out; an onion service is what can be reached through it; a bridge is a
// hidden entry to the Tor network; a Gateway is a node that lends its UDP to others. The bare word
// onion names none of them.
//
// The package knows bytes, not who sends them: identities, contacts and what they say are unknown
// here. No error text holds an address, a service id or anything that the far side sent.
//
//	Tor      one tor process of our own (package torproc), spoken to by unix sockets only
//	Memory   a network in memory, for the tests of the rooms above
//	Packets  a way out to addresses: VPN, SOCKS, one interface, direct (package ways opens them)
//	Gateway  carries DHT datagrams for others (package frame: layout and address rules)
package onion
