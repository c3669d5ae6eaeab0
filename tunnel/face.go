// The face that sessions show, whatever carries them.

package tunnel

import (
	"context"
	"net"
	"time"
)

// A Tunnel is a session between two contacts. *Conn is one over a stream carrier, *datagram.Conn
// one over a datagram carrier. The methods are documented at Conn; where datagram.Conn differs it
// says so.
type Tunnel interface {
	Peer() [32]byte
	Binding() [32]byte
	Initiator() bool
	OpenStream(ctx context.Context) (net.Conn, error)
	AcceptStream(ctx context.Context) (net.Conn, error)
	SendDatagram(b []byte) error
	ReceiveDatagram(ctx context.Context) ([]byte, error)
	SetClock(every time.Duration)
	Done() <-chan struct{}
	Err() error
	Close() error
}

var _ Tunnel = (*Conn)(nil)
