// Streams that leave the network, for those who were told that they may.

package torproc

import (
	"context"
	"net"
)

// An exiting Program has a socket for streams that leave the network. Whoever starts one gives it
// this method; a Program without has none. The error is ErrNoExits when nobody allowed it.
type exiting interface {
	DialExit(ctx context.Context) (net.Conn, error)
}

// DialExit opens a connection to tor's SOCKS socket for streams that leave the network. Names go to
// tor as they are, and are looked up at the exit. It is ErrNoExits unless Order.Exits.
func (p *Process) DialExit(ctx context.Context) (net.Conn, error) {
	e, ok := p.program.(exiting)
	if !ok || !p.exits {
		return nil, ErrNoExits
	}
	return e.DialExit(ctx)
}

// DialExit opens a connection to the one SOCKS socket of another's tor, if its owner lets it exit.
func (e *existing) DialExit(ctx context.Context) (net.Conn, error) {
	if !e.exits {
		return nil, ErrNoExits
	}
	return e.Dial(ctx)
}
