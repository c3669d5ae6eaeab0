// Package torproc runs one tor process that belongs to this program alone: started with a socket
// pair as its only control connection, with a unix socket for SOCKS, with a directory that only
// its user can read and that is wiped at the end.
package torproc
