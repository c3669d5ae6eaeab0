// Gateways, as the rooms above see them; the work is done in package lend.

package onion

import (
	"net"

	"nightjar/onion/lend"
)

type (
	// GatewayConfig says what a gateway lends, and by which rules.
	GatewayConfig = lend.Config
	// Gateway lends UDP to those who reach its onion service.
	Gateway = lend.Gateway
	// GatewayStats are a gateway's counts.
	GatewayStats = lend.Stats
	// PacketConn is a client's end of a stream to a gateway: a net.PacketConn.
	PacketConn = lend.PacketConn
)

var (
	// ErrGateway means a GatewayConfig without rules, or with a Listen that is not IPv4 and port 0.
	ErrGateway = lend.ErrConfig
	// ErrLost means that a PacketConn's stream is gone.
	ErrLost = lend.ErrLost
	// ErrDatagram means a datagram that a PacketConn cannot carry.
	ErrDatagram = lend.ErrDatagram
)

// NewGateway returns a gateway that serves nobody until its Serve is called.
func NewGateway(c GatewayConfig) (*Gateway, error) {
	g, err := lend.New(c)
	if err != nil {
		return nil, &Error{"lend", Here, err}
	}
	return g, nil
}

// NewPacketConn returns the client's end of a stream to a gateway, and owns the stream.
func NewPacketConn(stream net.Conn) *PacketConn { return lend.NewPacketConn(stream) }
