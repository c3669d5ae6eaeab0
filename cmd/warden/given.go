// The sockets that an engine is given besides those of its way out.

package warden

import (
	"context"
	"net"
	"net/netip"
	"os"

	"nightjar/sip/sockets"
)

// Open asks for a socket that the user allowed. Errors are as of Packet.
func (w *Ward) Open(ctx context.Context, name string) (*os.File, error) {
	return w.fetch(ctx, ask{Do: "open", At: name})
}

// Lent asks for a UDP socket that the user allowed. Errors are as of Packet.
func (w *Ward) Lent(ctx context.Context, name string) (*net.UDPConn, error) {
	f, err := w.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, errMessage
	}
	udp, ok := c.(*net.UDPConn)
	if !ok {
		c.Close()
		return nil, errMessage
	}
	return udp, nil
}

// Packet opens a UDP socket on loopback, as sockets.Loopback does; but it sends to programs of this
// user on this machine, and to nobody else. Errors are
// sockets.ErrNotLoopback, ErrGone, or a syscall.Errno such as EADDRINUSE.
func (w *Ward) Packet(at netip.AddrPort) (net.PacketConn, error) {
	if !at.Addr().Is4() || !at.Addr().IsLoopback() {
		return nil, sockets.ErrNotLoopback
	}
	f, err := w.fetch(context.Background(), ask{Do: "packet", At: at.String()})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, errMessage
	}
	return newDesk(w, c), nil
}

// Stream opens a TCP listener on loopback. Errors are as of Packet.
func (w *Ward) Stream(at netip.AddrPort) (net.Listener, error) {
	if !at.Addr().Is4() || !at.Addr().IsLoopback() {
		return nil, sockets.ErrNotLoopback
	}
	f, err := w.fetch(context.Background(), ask{Do: "stream", At: at.String()})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return net.FileListener(f)
}
