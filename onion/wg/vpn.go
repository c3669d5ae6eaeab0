// Package wg is a WireGuard VPN inside this process: packets are made and sealed here, and leave by
// one datagram socket that is connected to the VPN's endpoint. There is no interface, no route and
// no other socket, so that what is sent through a VPN cannot leave by another way when the VPN is
// down: it is lost.
//
// The package opens no socket. It asks its Opener for one, at first and whenever the one it has has
// become useless; in the sealed engine that is the warden's work.
//
//	this process:  conns -> TCP/IP (gVisor) -> WireGuard -> link -> one socket -> endpoint
//
// It does not know what is carried, or for whom. Names are asked for inside the VPN only.
package wg

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.zx2c4.com/wireguard/device"

	"nightjar/onion/quiet"
	"nightjar/onion/wgconf"
)

var (
	// ErrSilent means that the endpoint has not answered.
	ErrSilent = errors.New("the VPN does not answer")
	// ErrSettings means settings that WireGuard did not take.
	ErrSettings = errors.New("settings of the VPN were not taken")
	// ErrAddress means an address that this VPN cannot lead to.
	ErrAddress = errors.New("not an address inside the VPN")
	// ErrUnreached means that nothing at an address took a stream.
	ErrUnreached = errors.New("nobody took the stream")
	// ErrName means a name that has no address, or that no server of the VPN answered for.
	ErrName = errors.New("no address for this name")
)

// An Opener opens a datagram socket connected to an endpoint, and to nothing else. It is called
// again when the network has changed; its errors are taken for "not now".
type Opener func(ctx context.Context, endpoint netip.AddrPort) (net.Conn, error)

// VPN is a tunnel that is up. It is safe for use by several goroutines at once.
type VPN struct {
	conf *wgconf.Config // without its keys
	peer device.NoisePublicKey
	dev  *device.Device
	host *host
	link *link
	done chan struct{} // closed by Close, at its end
	once sync.Once
}

// Start sets up a VPN and returns before its endpoint has answered: Handshake waits for that. It
// takes the configuration, and wipes its keys. Errors are those of open, and ErrSettings.
func Start(ctx context.Context, c *wgconf.Config, open Opener) (*VPN, error) {
	defer c.Wipe()
	first, err := open(ctx, c.Endpoint)
	if err != nil {
		return nil, quiet.Error(err)
	}
	v := &VPN{conf: c, peer: c.Peer(), done: make(chan struct{})}
	v.link = newLink(c.Endpoint, first)
	if v.host, err = newHost(c.Addresses, c.MTU); err != nil {
		first.Close()
		return nil, err
	}
	silence := &device.Logger{Verbosef: device.DiscardLogf, Errorf: device.DiscardLogf}
	v.dev = device.NewDevice(v.host, v.link, silence)
	if c.Set(v.dev.IpcSet) != nil || v.dev.Up() != nil {
		v.dev.Close()
		v.link.end()
		v.host.destroy()
		return nil, ErrSettings
	}
	v.link.keep(open, v.greet)
	return v, nil
}

// greet lets the other end know of a new socket.
func (v *VPN) greet() { v.dev.SendKeepalivesToPeersWithCurrentKeypair() }

// Handshake waits until the endpoint has answered, which proves that it is the right one. The error
// is ErrSilent when ctx ends first.
func (v *VPN) Handshake(ctx context.Context) error {
	peer := v.dev.LookupPeer(v.peer)
	if peer == nil {
		return ErrSettings
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for v.handshaken() == 0 {
		peer.SendHandshakeInitiation(false) // WireGuard sees to it that this is not too often
		select {
		case <-tick.C:
		case <-v.done:
			return net.ErrClosed
		case <-ctx.Done():
			return ErrSilent
		}
	}
	return nil
}

// ListenPacket opens a socket for datagrams inside the VPN, at an address of its own: of IPv4 if
// the VPN has it. WriteTo takes *net.UDPAddr. Datagrams are lost while the VPN is down.
func (v *VPN) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return v.host.listen()
}

// DialAddr opens a TCP stream to an address inside the VPN, or beyond it. Errors are ErrAddress,
// ErrUnreached and the cause of ctx.
func (v *VPN) DialAddr(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	c, err := v.host.dial(ctx, to)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return c, err
}

// Roam has the socket replaced, because the network has changed.
func (v *VPN) Roam() { v.link.renew() }

// Health is how a VPN is, in counts.
type Health struct {
	Handshake      time.Duration // since the last one; negative if there was none
	Heard          time.Duration // since data came out of the VPN; negative if none did
	Sent, Received uint64        // datagrams, by the socket
	Sockets        int           // that were used, one after the other
	Silent         bool          // what was sent has had no answer for 15 s
}

// Health returns how the VPN is.
func (v *VPN) Health() Health {
	h := Health{Handshake: -1, Heard: -1, Sent: v.link.sent.Load(),
		Received: v.link.received.Load(), Sockets: int(v.link.sockets.Load())}
	now := time.Now()
	if since := v.link.silent.Load(); since > 0 {
		h.Silent = now.UnixNano()-since > int64(silence)
	}
	if at := v.handshaken(); at > 0 {
		h.Handshake = max(0, now.Sub(time.Unix(at, 0)))
	}
	if at := v.host.heard.Load(); at > 0 {
		h.Heard = max(0, now.Sub(time.Unix(0, at)))
	}
	return h
}

// Done is closed when the VPN has been closed. Nothing takes its place.
func (v *VPN) Done() <-chan struct{} { return v.done }

// Close ends the VPN with all its conns, and returns when nothing of it works any more.
func (v *VPN) Close() error {
	v.once.Do(func() {
		v.link.end()
		v.dev.Close()
		v.host.destroy()
		close(v.done)
	})
	<-v.done
	return nil
}
