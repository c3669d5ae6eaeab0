// What is said before a stream.
//
//	<-  05 | n | methods n               2 must be among them: user and password
//	->  05 02
//	<-  01 | n | user n | n | password n
//	->  01 00
//	<-  05 01 00 | type | address | port  connect, to IPv4 (1) or IPv6 (4)
//	->  05 code 00 01 | 0 | 0

package outlet

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
)

const (
	version         = 5
	authVersion     = 1
	byPassword      = 2
	nothingFits     = 0xff
	connect         = 1
	granted         = 0
	hostUnreachable = 4
	badCommand      = 7
	badAddress      = 8
)

var errClient = errors.New("not a client of this outlet")

// letIn lets a client in that has the login.
func (o *Outlet) letIn(c io.ReadWriter) error {
	methods, err := counted(c, version)
	if err != nil {
		return err
	}
	if bytes.IndexByte(methods, byPassword) < 0 {
		c.Write([]byte{version, nothingFits})
		return errClient
	}
	if _, err := c.Write([]byte{version, byPassword}); err != nil {
		return err
	}
	if err := o.login(c); err != nil {
		c.Write([]byte{authVersion, 1})
		return err
	}
	return nil
}

// where tells a client that it was let in, and returns where it wants to go.
func where(c io.ReadWriter) (to netip.AddrPort, err error) {
	if _, err := c.Write([]byte{authVersion, 0}); err != nil {
		return to, err
	}
	to, code, err := readRequest(c)
	if err == nil && code != granted {
		say(c, code)
		err = errClient
	}
	return to, err
}

// login reads user and password, and compares both whatever the first was.
func (o *Outlet) login(c io.Reader) error {
	user, err := counted(c, authVersion)
	if err != nil {
		return err
	}
	password, err := text(c)
	if err != nil {
		return err
	}
	right := subtle.ConstantTimeCompare(user, []byte(o.key.User)) &
		subtle.ConstantTimeCompare(password, []byte(o.key.Password))
	if right != 1 {
		return errClient
	}
	return nil
}

// counted reads a version, and bytes that are preceded by their number.
func counted(r io.Reader, version byte) ([]byte, error) {
	var b [1]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return nil, err
	}
	if b[0] != version {
		return nil, errClient
	}
	return text(r)
}

// text reads bytes that are preceded by their number.
func text(r io.Reader) ([]byte, error) {
	var n [1]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, n[0])
	_, err := io.ReadFull(r, b)
	return b, err
}

// readRequest reads where a client wants to go, or the code with which it is refused.
func readRequest(r io.Reader) (to netip.AddrPort, code byte, err error) {
	var b [22]byte
	if _, err := io.ReadFull(r, b[:4]); err != nil {
		return to, 0, err
	}
	if b[0] != version || b[2] != 0 {
		return to, 0, errClient
	}
	if b[1] != connect {
		return to, badCommand, nil
	}
	size, known := map[byte]int{1: 4, 4: 16}[b[3]]
	if !known {
		return to, badAddress, nil
	}
	if _, err := io.ReadFull(r, b[4:4+size+2]); err != nil {
		return to, 0, err
	}
	ip, _ := netip.AddrFromSlice(b[4 : 4+size])
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[4+size:])), granted, nil
}

// say answers a request.
func say(w io.Writer, code byte) error {
	_, err := w.Write([]byte{version, code, 0, 1, 0, 0, 0, 0, 0, 0})
	return err
}
