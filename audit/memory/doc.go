// Package memory proves that an identity which is locked leaves nothing in memory, though another
// one in the same process goes on.
//
// A child process opens two identities of one vault and lets both work: whole nodes, with
// invitations, tunnels that one side and the other began, a renewal of the keys, messages, and
// datagrams. Their contacts are played by the parent, by the book of docs/protocol-tunnel.md and
// not by our own rooms, so that it knows every secret which the two ends of a tunnel share, in
// each of its epochs. The child then locks one identity, and the parent looks for its secrets in
// all of the child's memory.
//
// Only tests are here. They need linux, for /proc/PID/mem.
package memory
