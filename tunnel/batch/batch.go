// Package batch carries rows of datagrams of equal size over a net.PacketConn that it is given.
// It opens no socket and knows nothing of what it carries. Where the carrier is a UDP socket of a
// system that can, a whole row crosses into the kernel and back at once (UDP GSO and GRO), which
// is most of the speed there is; elsewhere datagrams go one by one.
package batch

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// MaxRow is how many bytes a row has room for, MaxSent how many of them leave at once: the payload
// of the longest UDP packet over IPv4. MaxCount is how many datagrams a row may hold.
const (
	MaxRow   = 64 << 10
	MaxSent  = 65507
	MaxCount = 64

	buffered = 7 << 20
)

// ErrCarrier: the carrier takes or gives nothing any more.
var ErrCarrier = errors.New("carrier broke")

// A Carrier sends and receives rows. Send and Receive are safe to call at the same time, and Send
// from several goroutines.
type Carrier struct {
	conn net.PacketConn
	udp  *net.UDPConn // conn, if it is a real one
	rows rows
}

// New takes pc over. Addresses of pc must be *net.UDPAddr, whatever carries them.
func New(pc net.PacketConn) *Carrier {
	c := &Carrier{conn: pc}
	if udp, ok := pc.(*net.UDPConn); ok {
		c.udp = udp
		udp.SetReadBuffer(buffered)
		udp.SetWriteBuffer(buffered)
		c.rows.prepare(udp)
	}
	return c
}

// Close closes the carrier.
func (c *Carrier) Close() error { return c.conn.Close() }

// Send sends the datagrams that stand in b one after another, size bytes each but for the last,
// which may be shorter. What does not leave is lost, as on the way: the error, which names no
// address, says only why.
func (c *Carrier) Send(b []byte, size int, to netip.AddrPort) error {
	most := min(MaxCount, MaxSent/size) * size
	for len(b) > size && c.rows.sends() {
		row := b[:min(len(b), most)]
		if again, err := c.rows.send(c.udp, row, size, to); !again {
			if err != nil {
				return named(err)
			}
			b = b[len(row):]
		}
	}
	for len(b) > 0 {
		n := min(len(b), size)
		if err := c.one(b[:n], to); err != nil {
			return named(err)
		}
		b = b[n:]
	}
	return nil
}

func (c *Carrier) one(b []byte, to netip.AddrPort) (err error) {
	if c.udp != nil {
		_, err = c.udp.WriteToUDPAddrPort(b, to)
	} else {
		_, err = c.conn.WriteTo(b, net.UDPAddrFromAddrPort(to))
	}
	return err
}

// Receive waits for datagrams from one sender and leaves them in b, which should be MaxRow bytes:
// n in all, size bytes each but for the last, which may be shorter.
func (c *Carrier) Receive(b []byte) (n, size int, from netip.AddrPort, err error) {
	if c.udp != nil {
		n, size, from, err = c.rows.receive(c.udp, b)
		return n, size, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), named(err)
	}
	n, addr, err := c.conn.ReadFrom(b)
	if udp, ok := addr.(*net.UDPAddr); ok {
		from = udp.AddrPort()
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	}
	return n, n, from, named(err)
}

// named keeps of a carrier's error what names no place.
func named(err error) error {
	if err == nil {
		return nil
	}
	return why(err)
}

func why(err error) error {
	var number syscall.Errno
	switch {
	case errors.As(err, &number):
		return number
	case errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	}
	return ErrCarrier
}
