// Package book holds what an identity remembers: its cards, its contacts, the messages between
// them, and the gateways it may use.
//
// It is pure: no clock, no network, no file. A Book is changed by its methods, turned into bytes
// by Encode and stored by whoever owns the vault; what is not stored has not happened. It does
// not know how contacts are reached.
//
// The bytes are deterministic CBOR (RFC 8949 section 4.2.1) behind one version byte:
//
//	offset  size  what
//	0       1     version, 1
//	1       n     CBOR map of Book's fields, keyed by the small integers in its tags
//
// When they would not fit the vault's slot, the oldest messages that are finished (delivered, or
// received and read) are forgotten until they do. Nothing unsent or unread is ever dropped. What
// others can make it hold is bounded: 64 who ask (32 by one card), 64 KiB unread of one contact.
package book
