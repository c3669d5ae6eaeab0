// Package gate stands between the loopback sockets and the SIP stack: it lets through only
// whole, valid, small messages of the one account, written anew.
//
// It wraps a net.PacketConn and a net.Listener; the SIP stack reads from the wrapped ones. For
// each message, in this order: the sender's rate, the size, the syntax, the rules of RFC 3261
// that the parser does not hold (RFC 4475 lists them), the digest of the account, and then
// every header that we do not read is dropped and the rest is written anew. What fails is
// answered here, without state, or dropped. So nothing unauthenticated makes a transaction,
// and no Route, Record-Route or unknown header is ever seen by the stack.
//
// It does not know calls, contacts or media, and writes no log: what a stranger sends is never
// repeated anywhere but to that stranger.
package gate
