//go:build !unix

// Reading what has come, one packet at a time.

package wg

import "net"

func readMany(sock net.Conn, bufs [][]byte, sizes []int) (int, error) {
	return readOne(sock, bufs, sizes)
}
