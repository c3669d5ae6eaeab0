// Package sip listens past its sockets room, and lets its library open sockets.
package sip

import (
	"context"
	"net"

	"github.com/emiago/sipgo"
)

func listens(s *sipgo.Server) {
	_, _ = net.ListenPacket("udp", "127.0.0.1:5060")                  // want "sip uses net.ListenPacket"
	_ = s.ListenAndServe(context.Background(), "udp", "0.0.0.0:5060") // want "sipgo.Server.ListenAndServe"
}
