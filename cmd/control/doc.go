// Package control is the door through which other programs, and our own commands, speak to a
// running engine: JSON over HTTP on a unix socket.
//
// The socket has mode 0600 and the peer's user id is checked with SO_PEERCRED: only the user who
// runs the engine, and root, are heard. Nothing listens on a network. docs/api.md is the law for
// paths and fields; fields may be added, never changed. This is the only package of the house
// besides onion and sip that opens a socket.
package control
