// Package quiet takes the addresses out of errors and connections. Errors of sockets hold the
// addresses of both ends; ours must never do, since they end up in logs and on screens.
package quiet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

var errSocket = errors.New("socket failed")

// Error returns what of a socket's error may be shown: its kind, without any address. Errors that
// can be told apart by errors.Is (io.EOF, deadlines, closed, a system call's number) still can.
func Error(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	var late interface{ Timeout() bool }
	if errors.As(err, &late) && late.Timeout() {
		return os.ErrDeadlineExceeded // as sockets that are not the system's say it
	}
	return errSocket
}

// Conn returns c with errors and addresses that say nothing of where it leads.
func Conn(c net.Conn) net.Conn { return &conn{c} }

type conn struct{ net.Conn }

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, Error(err)
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, Error(err)
}

// SyscallConn gives access to the socket, for what net.Conn cannot do.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errSocket
}

func (c *conn) Close() error                       { return Error(c.Conn.Close()) }
func (c *conn) SetDeadline(t time.Time) error      { return Error(c.Conn.SetDeadline(t)) }
func (c *conn) SetReadDeadline(t time.Time) error  { return Error(c.Conn.SetReadDeadline(t)) }
func (c *conn) SetWriteDeadline(t time.Time) error { return Error(c.Conn.SetWriteDeadline(t)) }
func (c *conn) LocalAddr() net.Addr                { return Addr{} }
func (c *conn) RemoteAddr() net.Addr               { return Addr{} }

// Packets returns c with errors that say nothing of where it leads. The addresses in datagrams
// stay: whoever holds the conn needs them.
func Packets(c net.PacketConn) net.PacketConn { return &packets{c} }

type packets struct{ net.PacketConn }

func (p *packets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := p.PacketConn.ReadFrom(b)
	return n, from, Error(err)
}

func (p *packets) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := p.PacketConn.WriteTo(b, to)
	return n, Error(err)
}

func (p *packets) Close() error { return Error(p.PacketConn.Close()) }

func (p *packets) SetDeadline(t time.Time) error { return Error(p.PacketConn.SetDeadline(t)) }

func (p *packets) SetReadDeadline(t time.Time) error {
	return Error(p.PacketConn.SetReadDeadline(t))
}

func (p *packets) SetWriteDeadline(t time.Time) error {
	return Error(p.PacketConn.SetWriteDeadline(t))
}

// Addr is an address that says nothing.
type Addr struct{}

// Network returns "path".
func (Addr) Network() string { return "path" }

// String returns "path".
func (Addr) String() string { return "path" }
