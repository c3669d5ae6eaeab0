// A relay for datagrams, and the connection that keeps it.

package socks5

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"nightjar/onion/quiet"
)

// largest is the size of the largest datagram with its header.
const largest = 64 << 10

// An association is a socket for datagrams.
type association struct {
	control net.Conn
	udp     net.Conn // connected to the relay: the kernel drops what others send
	lost    chan struct{}
	closed  chan struct{}
	once    sync.Once
	work    sync.WaitGroup
	buffers sync.Pool
}

func newAssociation(control, udp net.Conn) *association {
	a := &association{control: control, udp: udp, lost: make(chan struct{}),
		closed: make(chan struct{})}
	a.buffers.New = func() any { return new([largest]byte) }
	return a
}

// watch ends the association when the proxy does; drop is called at the end.
func (a *association) watch(drop func()) {
	a.work.Go(func() {
		// Nothing more is to be said here, so that whatever comes is the end.
		a.control.Read(make([]byte, 1))
		close(a.lost)
		a.control.Close()
		a.udp.Close()
		drop()
	})
}

// ReadFrom waits for a datagram. Errors are ErrLost, net.ErrClosed and os.ErrDeadlineExceeded.
func (a *association) ReadFrom(b []byte) (int, net.Addr, error) {
	buf := a.buffers.Get().(*[largest]byte)
	defer a.buffers.Put(buf)
	for {
		n, err := a.udp.Read(buf[:])
		if err != nil {
			if err = a.why(err); err == nil {
				continue
			}
			return 0, nil, err
		}
		from, payload, err := parseDatagram(buf[:n])
		if err == nil {
			return copy(b, payload), net.UDPAddrFromAddrPort(from), nil
		}
	}
}

// WriteTo sends a datagram to a *net.UDPAddr. Errors are ErrLost, ErrAddress, net.ErrClosed,
// os.ErrDeadlineExceeded and what the socket says without an address.
func (a *association) WriteTo(b []byte, to net.Addr) (int, error) {
	at, ok := to.(*net.UDPAddr)
	if !ok || at == nil || !valid(at.AddrPort()) {
		return 0, ErrAddress
	}
	buf := a.buffers.Get().(*[largest]byte)
	defer a.buffers.Put(buf)
	if _, err := a.udp.Write(appendDatagram(buf[:0], at.AddrPort(), b)); err != nil {
		if err = a.why(err); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// why says what an error of the socket means: nothing, if the relay's port was closed for one
// datagram.
func (a *association) why(err error) error {
	select {
	case <-a.closed:
		return net.ErrClosed
	default:
	}
	select {
	case <-a.lost:
		return ErrLost
	default:
	}
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return quiet.Error(err)
}

// Lost is closed when the proxy has ended the relay, or the socket was closed.
func (a *association) Lost() <-chan struct{} { return a.lost }

// Close ends the relay, and returns when nothing of it works any more.
func (a *association) Close() error {
	a.once.Do(func() {
		close(a.closed)
		a.control.Close()
		a.udp.Close()
	})
	a.work.Wait()
	return nil
}

// LocalAddr returns an address that says nothing: 0.0.0.0 with port 1.
func (a *association) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IP{0, 0, 0, 0}, Port: 1} }

// SetDeadline sets the time after which reads and writes fail.
func (a *association) SetDeadline(t time.Time) error { return a.set(a.udp.SetDeadline(t)) }

// SetReadDeadline sets the time after which reads fail.
func (a *association) SetReadDeadline(t time.Time) error { return a.set(a.udp.SetReadDeadline(t)) }

// SetWriteDeadline sets the time after which writes fail.
func (a *association) SetWriteDeadline(t time.Time) error {
	return a.set(a.udp.SetWriteDeadline(t))
}

func (a *association) set(err error) error {
	if err == nil {
		return nil
	}
	return a.why(err)
}

// appendDatagram appends header and payload.
func appendDatagram(b []byte, to netip.AddrPort, payload []byte) []byte {
	return append(appendAddress(append(b, 0, 0, 0), to), payload...)
}

// parseDatagram takes a datagram of the relay apart. Fragments and senders by name are not taken.
func parseDatagram(b []byte) (from netip.AddrPort, payload []byte, err error) {
	if len(b) < 4 || b[0] != 0 || b[1] != 0 || b[2] != 0 {
		return from, nil, ErrProtocol
	}
	size := 4
	switch b[3] {
	case typeIP4:
	case typeIP6:
		size = 16
	default:
		return from, nil, ErrProtocol
	}
	if len(b) < 4+size+2 {
		return from, nil, ErrProtocol
	}
	ip, _ := netip.AddrFromSlice(b[4 : 4+size])
	if ip.Is4In6() {
		return from, nil, ErrProtocol
	}
	port := binary.BigEndian.Uint16(b[4+size:])
	return netip.AddrPortFrom(ip, port), b[4+size+2:], nil
}
