// Package stack is the SIP library shut in: it serves the sockets it is given, sends only to
// an address that a phone has just used, and keeps the state of dialogs.
//
// The library would look up names, dial hosts that a message names, and log what it cannot
// parse. Here its resolver fails, its dialer fails, its log is thrown away, and every request
// gets its destination from us; a connection that is not open already is never opened.
//
// It does not know accounts, contacts, calls or voice.
package stack
