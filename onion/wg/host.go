// The host inside the VPN: TCP/IP in this process, on gVisor's network stack. WireGuard sees it as
// the device that packets come from and go to.
//
// The stack that ships with WireGuard is not used: when it is closed while a packet leaves it sends
// on a closed channel, which ends the process; it has no bound for what waits; and its DNS client
// puts names and servers into errors.

package wg

import (
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.zx2c4.com/wireguard/tun"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const (
	nic     = 1
	waiting = 1024    // packets that wait for WireGuard; further ones are lost
	atOnce  = 32      // packets that WireGuard takes or gives at once
	udpWait = 1 << 20 // bytes of datagrams that wait for their reader
)

// A host is a host with one interface, which WireGuard takes for a tun device.
type host struct {
	stack *stack.Stack
	out   *channel.Endpoint
	mtu   int
	v4    netip.Addr // or the zero Addr
	v6    netip.Addr
	heard atomic.Int64  // when a packet came last, in nanoseconds since 1970
	wake  chan struct{} // holds one sign that packets wait
	gone  chan struct{} // closed by Close
	event chan tun.Event
	once  sync.Once
}

// newHost returns a host with these addresses, which has a route to everywhere.
func newHost(addrs []netip.Addr, mtu int) (*host, error) {
	h := &host{
		stack: stack.New(stack.Options{
			NetworkProtocols: []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
			TransportProtocols: []stack.TransportProtocolFactory{
				tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
			HandleLocal: true,
		}),
		out:  channel.New(waiting, uint32(mtu), ""),
		mtu:  mtu,
		wake: make(chan struct{}, 1), gone: make(chan struct{}), event: make(chan tun.Event, 1),
	}
	h.out.AddNotify(h)
	h.event <- tun.EventUp
	sack := tcpip.TCPSACKEnabled(true)
	h.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &sack)
	h.stack.SetOption(tcpip.ReceiveBufferSizeOption{Min: 1, Default: udpWait, Max: 4 * udpWait})
	if h.stack.CreateNIC(nic, h.out) != nil {
		h.destroy()
		return nil, ErrSettings
	}
	for _, a := range addrs {
		if err := h.add(a); err != nil {
			h.destroy()
			return nil, err
		}
	}
	return h, nil
}

// add gives the host an address, and with the first of its kind the route.
func (h *host) add(a netip.Addr) error {
	first, number, all := &h.v4, ipv4.ProtocolNumber, header.IPv4EmptySubnet
	if a.Is6() {
		first, number, all = &h.v6, ipv6.ProtocolNumber, header.IPv6EmptySubnet
	}
	address := tcpip.ProtocolAddress{Protocol: number,
		AddressWithPrefix: tcpip.AddrFromSlice(a.AsSlice()).WithPrefix()}
	if h.stack.AddProtocolAddress(nic, address, stack.AddressProperties{}) != nil {
		return ErrSettings
	}
	if !first.IsValid() {
		*first = a
		h.stack.AddRoute(tcpip.Route{Destination: all, NIC: nic})
	}
	return nil
}

// WriteNotify is called when a packet waits for WireGuard.
func (h *host) WriteNotify() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Read hands packets to WireGuard: one at least, and what else waits. It returns os.ErrClosed after
// Close.
func (h *host) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	for {
		n := 0
		for n < len(bufs) {
			pkt := h.out.Read()
			if pkt == nil {
				break
			}
			view := pkt.ToView()
			sizes[n], _ = view.Read(bufs[n][offset:])
			view.Release()
			pkt.DecRef()
			n++
		}
		if n == len(bufs) {
			h.WriteNotify() // there may be more
		}
		if n > 0 {
			return n, nil
		}
		select {
		case <-h.wake:
		case <-h.gone:
			return 0, os.ErrClosed
		}
	}
}

// Write takes packets that WireGuard has opened.
func (h *host) Write(bufs [][]byte, offset int) (int, error) {
	h.heard.Store(time.Now().UnixNano())
	for _, b := range bufs {
		packet := b[offset:]
		if len(packet) == 0 {
			continue
		}
		pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{
			Payload: buffer.MakeWithData(packet)})
		switch packet[0] >> 4 {
		case 4:
			h.out.InjectInbound(header.IPv4ProtocolNumber, pkt)
		case 6:
			h.out.InjectInbound(header.IPv6ProtocolNumber, pkt)
		default:
			pkt.DecRef()
			return 0, syscall.EINVAL
		}
		pkt.DecRef()
	}
	return len(bufs), nil
}

// Close ends Read; WireGuard calls it.
func (h *host) Close() error {
	h.once.Do(func() {
		close(h.gone)
		h.out.Close()
		close(h.event)
	})
	return nil
}

// destroy ends all conns, and returns when nothing of the stack works any more.
func (h *host) destroy() {
	h.Close()
	h.stack.Destroy()
	h.stack.RemoveNIC(nic)
}

// File returns nil: there is no file.
func (h *host) File() *os.File { return nil }

// MTU returns the largest packet's size in bytes.
func (h *host) MTU() (int, error) { return h.mtu, nil }

// Name returns a name that says nothing.
func (h *host) Name() (string, error) { return "path", nil }

// Events returns what happens to the device: it comes up.
func (h *host) Events() <-chan tun.Event { return h.event }

// BatchSize returns how many packets Read can hand over at once.
func (h *host) BatchSize() int { return atOnce }
