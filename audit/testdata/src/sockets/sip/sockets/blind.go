// This file listens wherever it is told.

package sockets

import "net"

func listensBlindly(at string) {
	_, _ = net.Listen("tcp", at) // want "sip/sockets uses net.Listen"
}
