// What is said on a connection to the proxy before it is a stream or a relay's control.
//
//	->  05 01 m                            one way to log in: 0 none, 2 user and password
//	<-  05 m
//	->  01 | n | user n | n | password n   if m is 2
//	<-  01 00
//	->  05 command 00 | type | address | port
//	<-  05 code 00 | type | address | port

package socks5

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"time"

	"nightjar/onion/quiet"
)

const (
	version     = 5
	authVersion = 1
	noLogin     = 0
	byPassword  = 2
	connect     = 1
	associate   = 3
	typeIP4     = 1
	typeName    = 3
	typeIP6     = 4
)

// enter opens a connection, logs in and asks. It ends as soon as ctx does.
func (p *Proxy) enter(ctx context.Context, ask func(net.Conn) error) (net.Conn, error) {
	c, err := p.config.Open(ctx, "tcp", p.config.Proxy)
	if err != nil {
		return nil, quiet.Error(err)
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	if err = p.login(c); err == nil {
		err = ask(c)
	}
	switch {
	case !stop():
		err = context.Cause(ctx)
	case err != nil && !ours(err):
		err = quiet.Error(err)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func ours(err error) bool {
	return err == ErrProtocol || err == ErrDenied || err == ErrRefused
}

// login offers one way to log in, so that a proxy cannot choose a weaker one.
func (p *Proxy) login(c io.ReadWriter) error {
	method := byte(noLogin)
	if p.config.User != "" {
		method = byPassword
	}
	if _, err := c.Write([]byte{version, 1, method}); err != nil {
		return err
	}
	var got [2]byte
	if _, err := io.ReadFull(c, got[:]); err != nil {
		return err
	}
	switch {
	case got[0] != version:
		return ErrProtocol
	case got[1] == 0xff:
		return ErrDenied
	case got[1] != method:
		return ErrProtocol
	case method == noLogin:
		return nil
	}
	b := append([]byte{authVersion, byte(len(p.config.User))}, p.config.User...)
	b = append(append(b, byte(len(p.config.Password))), p.config.Password...)
	if _, err := c.Write(b); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, got[:]); err != nil {
		return err
	}
	switch {
	case got[0] != authVersion:
		return ErrProtocol
	case got[1] != 0:
		return ErrDenied
	}
	return nil
}

// command asks for something, and returns the address in the answer.
func command(c io.ReadWriter, what byte, to netip.AddrPort) (netip.AddrPort, error) {
	if _, err := c.Write(appendAddress([]byte{version, what, 0}, to)); err != nil {
		return netip.AddrPort{}, err
	}
	return readAnswer(c)
}

// readAnswer reads an answer, and not a byte more. An address that is a name counts as none.
func readAnswer(r io.Reader) (at netip.AddrPort, err error) {
	var b [4 + 255 + 2]byte
	if _, err := io.ReadFull(r, b[:4]); err != nil {
		return at, err
	}
	switch {
	case b[0] != version || b[2] != 0:
		return at, ErrProtocol
	case b[1] != 0:
		return at, ErrRefused
	}
	size := 0
	switch b[3] {
	case typeIP4:
		size = 4
	case typeIP6:
		size = 16
	case typeName:
		if _, err := io.ReadFull(r, b[4:5]); err != nil {
			return at, err
		}
		_, err = io.ReadFull(r, make([]byte, int(b[4])+2))
		return at, err
	default:
		return at, ErrProtocol
	}
	if _, err := io.ReadFull(r, b[4:4+size+2]); err != nil {
		return at, err
	}
	ip, _ := netip.AddrFromSlice(b[4 : 4+size])
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[4+size:])), nil
}

// appendAddress appends type, address and port.
func appendAddress(b []byte, a netip.AddrPort) []byte {
	ip := a.Addr().Unmap()
	kind := byte(typeIP4)
	if ip.Is6() {
		kind = typeIP6
	}
	return binary.BigEndian.AppendUint16(append(append(b, kind), ip.AsSlice()...), a.Port())
}

// valid reports whether a proxy can be asked for an address.
func valid(a netip.AddrPort) bool {
	ip := a.Addr()
	return ip.IsValid() && a.Port() != 0 && !ip.IsUnspecified() && ip.Zone() == ""
}
