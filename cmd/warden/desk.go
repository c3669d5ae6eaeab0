// A UDP socket for phones, as a sealed engine has it.

package warden

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	maxCallers = 8                      // phones that a desk answers at a time; the oldest goes
	maxUnheard = 256                    // datagrams that wait to be read; more are lost
	ripe       = 250 * time.Millisecond // before an address that was refused is asked for again
)

// A desk is a net.PacketConn. It hears by one socket, and answers by others: one for each phone,
// connected by the warden, at the same address. So there is no address in what the engine asks of
// the kernel, and a phone notices nothing. Deadlines are not needed, and there are none.
type desk struct {
	ward *Ward
	at   netip.AddrPort
	main net.PacketConn
	in   chan heard
	done chan struct{}
	once sync.Once
	work sync.WaitGroup

	mu      sync.Mutex
	callers []*caller // the one used last at the end
	refused map[netip.AddrPort]time.Time
}

type heard struct {
	body []byte
	from net.Addr
}

// A caller is a phone that is answered.
type caller struct {
	at   netip.AddrPort
	conn *net.UDPConn
}

func newDesk(w *Ward, main net.PacketConn) *desk {
	d := &desk{ward: w, main: main, in: make(chan heard, maxUnheard), done: make(chan struct{}),
		refused: map[netip.AddrPort]time.Time{}}
	if at, ok := main.LocalAddr().(*net.UDPAddr); ok {
		d.at = at.AddrPort()
	}
	d.work.Go(func() { d.hear(main) })
	return d
}

// hear reads from one of the sockets until it is of no more use.
func (d *desk) hear(c net.PacketConn) {
	for buf := make([]byte, 64<<10); ; {
		n, from, err := c.ReadFrom(buf)
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue // of something sent before
		}
		if err != nil {
			return
		}
		select {
		case d.in <- heard{append([]byte(nil), buf[:n]...), from}:
		case <-d.done:
			return
		default:
		}
	}
}

// ReadFrom returns the next datagram of any phone.
func (d *desk) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case h := <-d.in:
		return copy(b, h.body), h.from, nil
	case <-d.done:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo answers a phone. The error is a syscall.Errno if the warden does not let us.
func (d *desk) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, syscall.EINVAL
	}
	at := netip.AddrPortFrom(udp.AddrPort().Addr().Unmap(), udp.AddrPort().Port())
	c, err := d.caller(at)
	if err != nil {
		return 0, err
	}
	n, err := c.conn.Write(b)
	if errors.Is(err, syscall.ECONNREFUSED) {
		d.hangUp(c) // whoever has the address now is asked for anew
	}
	return n, err
}

// caller finds the phone with an address, or has it connected.
func (d *desk) caller(at netip.AddrPort) (*caller, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, c := range d.callers {
		if c.at == at {
			copy(d.callers[i:], d.callers[i+1:])
			d.callers[len(d.callers)-1] = c
			return c, nil
		}
	}
	if since, known := d.refused[at]; known && time.Since(since) < ripe {
		return nil, syscall.EPERM
	}
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	conn, err := d.connect(ctx, at)
	if err != nil {
		if len(d.refused) >= maxUnheard {
			clear(d.refused)
		}
		d.refused[at] = time.Now()
		return nil, err
	}
	delete(d.refused, at)
	c := &caller{at, conn}
	if len(d.callers) >= maxCallers {
		d.callers[0].conn.Close()
		d.callers = d.callers[1:]
	}
	d.callers = append(d.callers, c)
	d.work.Go(func() { d.hear(conn) })
	return c, nil
}

// connect asks for a socket that leads to a phone. Called with mu held, so that Close is either
// before, or closes it.
func (d *desk) connect(ctx context.Context, to netip.AddrPort) (*net.UDPConn, error) {
	select {
	case <-d.done:
		return nil, net.ErrClosed
	default:
	}
	f, err := d.ward.fetch(ctx, ask{Do: "answer", At: d.at.String(), To: to.String()})
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

// hangUp closes the socket of a phone.
func (d *desk) hangUp(gone *caller) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, c := range d.callers {
		if c == gone {
			d.callers = append(d.callers[:i], d.callers[i+1:]...)
			c.conn.Close()
			return
		}
	}
}

// Close closes the sockets, and returns when the address is free.
func (d *desk) Close() error {
	d.once.Do(func() {
		close(d.done)
		d.main.Close()
		d.mu.Lock()
		for _, c := range d.callers {
			c.conn.Close()
		}
		d.callers = nil
		d.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), linger)
		defer cancel()
		_, _ = d.ward.ask(ctx, ask{Do: "drop", At: d.at.String()})
	})
	d.work.Wait()
	return nil
}

// LocalAddr returns the address at which phones find the desk.
func (d *desk) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(d.at) }

// SetDeadline returns os.ErrNoDeadline, unless there is to be none.
func (d *desk) SetDeadline(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	return os.ErrNoDeadline
}

// SetReadDeadline is as SetDeadline.
func (d *desk) SetReadDeadline(t time.Time) error { return d.SetDeadline(t) }

// SetWriteDeadline is as SetDeadline.
func (d *desk) SetWriteDeadline(t time.Time) error { return d.SetDeadline(t) }
