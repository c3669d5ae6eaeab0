// Package node is one identity at work: it keeps its contacts reachable, carries what they say to
// each other, and remembers what must not be lost.
//
// The seven words of the house, one type each:
//
//	Identity  keystore.Identity: who we are, as a handle that acts
//	Contact   book.Contact: somebody we are, or may come to be, in touch with
//	Path      onion.Path, or onion.Packets: a way out of this machine
//	Tunnel    tunnel.Tunnel: the sealed road to one contact
//	Meeting   meet.Meeting: finding each other in the DHT
//	Talk      package talk: a message or a call
//	Gateway   onion.Gateway: a node that lends its UDP
//
// A Node does not open sockets, read passwords or speak SIP. It is given an open Identity and a
// Path or Packets, of which its road is made (package road), and works until its context ends. What
// it acknowledges is in the vault before it says so.
package node
