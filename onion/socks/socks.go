// Package socks asks a tor for streams: SOCKS version 5 (RFC 1928) with user and password (RFC
// 1929) over a unix socket. Tor takes user and password for the name of a set of circuits. Host
// names go to tor as they are: nothing is looked up here.
//
//	->  05 01 02                          version, one method: user and password
//	<-  05 02
//	->  01 | n | user n | n | password n  version of RFC 1929
//	<-  01 00
//	->  05 01 00 03 | n | host n | port2  connect to a name
//	<-  05 | code | 00 | type | address | port2
package socks

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"nightjar/onion/quiet"
)

// A Refusal is the code with which a stream was refused: one of RFC 1928's, or one of tor's own
// for onion services (ExtendedErrors in tor's manual).
type Refusal byte

// The codes that are told apart.
const (
	NoDescriptor   Refusal = 0xF0
	BadDescriptor  Refusal = 0xF1
	IntroFailed    Refusal = 0xF2
	RendFailed     Refusal = 0xF3
	AuthMissing    Refusal = 0xF4
	AuthWrong      Refusal = 0xF5
	BadAddress     Refusal = 0xF6
	IntroTimeout   Refusal = 0xF7
	GeneralFailure Refusal = 0x01
)

// Error returns the code as text.
func (r Refusal) Error() string { return fmt.Sprintf("stream refused with code %d", byte(r)) }

var (
	// ErrRequest means a user or host that cannot be asked for.
	ErrRequest = errors.New("cannot be asked for")
	// ErrProtocol means an answer that is not SOCKS.
	ErrProtocol = errors.New("not a socks answer")
)

const (
	version     = 5
	authVersion = 1
	method      = 2 // user and password
	connect     = 1
	nameType    = 3
)

// A Login names the circuits that a stream may use.
type Login struct{ User, Password string }

// valid reports whether a login can be sent. Tor gives some names a meaning of their own (its
// proposal 351).
func (l Login) valid() bool {
	return l.User != "" && len(l.User) <= 255 && l.Password != "" && len(l.Password) <= 255 &&
		!strings.HasPrefix(l.User, "<torS0X>")
}

// Dial asks the proxy that a dialer reaches for a stream to host and port. It ends as soon as ctx
// does, and then returns its cause. Other errors are a Refusal, ErrRequest, ErrProtocol and those
// of the dialer, without addresses.
func Dial(ctx context.Context, proxy func(context.Context) (net.Conn, error), l Login, host string,
	port uint16) (net.Conn, error) {
	if !l.valid() || host == "" || len(host) > 255 || port == 0 {
		return nil, ErrRequest
	}
	c, err := proxy(ctx)
	if err != nil {
		return nil, cause(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	err = ask(c, l, host, port)
	if !stop() || err != nil {
		c.Close()
		if err == nil {
			err = ctx.Err()
		}
		return nil, cause(ctx, err)
	}
	return quiet.Conn(c), nil
}

// cause prefers the reason why ctx ended to what the socket says of it.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var refusal Refusal
	if errors.As(err, &refusal) || errors.Is(err, ErrProtocol) {
		return err
	}
	return quiet.Error(err)
}

// ask leads the conversation to its end; the stream then follows on c.
func ask(c io.ReadWriter, l Login, host string, port uint16) error {
	if err := say(c, version, 1, method); err != nil {
		return err
	}
	if err := expect(c, version, method); err != nil {
		return err
	}
	b := append([]byte{authVersion, byte(len(l.User))}, l.User...)
	b = append(append(b, byte(len(l.Password))), l.Password...)
	if err := say(c, b...); err != nil {
		return err
	}
	if err := expect(c, authVersion, 0); err != nil {
		return err
	}
	b = append([]byte{version, connect, 0, nameType, byte(len(host))}, host...)
	if err := say(c, binary.BigEndian.AppendUint16(b, port)...); err != nil {
		return err
	}
	return answer(c)
}

func say(w io.Writer, b ...byte) error {
	_, err := w.Write(b)
	return err
}

func expect(r io.Reader, a, b byte) error {
	var got [2]byte
	if _, err := io.ReadFull(r, got[:]); err != nil {
		return err
	}
	if got != [2]byte{a, b} {
		return ErrProtocol
	}
	return nil
}

// answer reads the last answer, and not a byte of the stream that follows it.
func answer(r io.Reader) error {
	var head [5]byte // up to the first byte of the address
	if _, err := io.ReadFull(r, head[:4]); err != nil {
		return err
	}
	if head[0] != version || head[2] != 0 {
		return ErrProtocol
	}
	size, known := map[byte]int{1: 4, 4: 16}[head[3]]
	switch {
	case head[3] == nameType:
		if _, err := io.ReadFull(r, head[4:]); err != nil {
			return err
		}
		size = int(head[4])
	case !known:
		return ErrProtocol
	}
	if _, err := io.ReadFull(r, make([]byte, size+2)); err != nil {
		return err
	}
	if head[1] != 0 {
		return Refusal(head[1])
	}
	return nil
}
