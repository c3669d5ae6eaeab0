// The gate in front of a TCP listener.

package gate

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of the connections.
const (
	maxConns      = 32               // open at once; more are closed on arrival
	helloTime     = 10 * time.Second // to finish a message once begun
	strangerTime  = 30 * time.Second // to authenticate
	idleTime      = 2 * time.Hour    // of an authenticated phone that says nothing
	writeTime     = 10 * time.Second
	maxKeepAlives = 1000 // empty lines in a row
)

// errStream ends a connection whose next message cannot be found.
var errStream = errors.New("not a SIP stream")

// Listener wraps a TCP listener of the door.
func (g *Gate) Listener(l net.Listener) net.Listener {
	return &listenGate{Listener: l, gate: g, free: make(chan struct{}, maxConns)}
}

type listenGate struct {
	net.Listener
	gate *Gate
	free chan struct{} // one token per open connection
}

// Accept returns the next connection, closing those that are too many.
func (l *listenGate) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, net.ErrClosed
		}
		tcp, ok := c.RemoteAddr().(*net.TCPAddr)
		if !ok {
			c.Close()
			continue
		}
		select {
		case l.free <- struct{}{}:
			at := tcp.AddrPort()
			at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
			return &streamGate{Conn: c, gate: l.gate, free: l.free, from: sender{at, true},
				in: bufio.NewReaderSize(c, 4096), born: time.Now(),
				closed: make(chan struct{})}, nil
		default:
			c.Close()
		}
	}
}

// streamGate is one connection: it cuts the stream into messages.
type streamGate struct {
	net.Conn
	gate *Gate
	free chan struct{}
	from sender
	in   *bufio.Reader
	born time.Time
	rest []byte // of a message that passed

	once   sync.Once
	closed chan struct{}
}

// Read returns bytes of messages that may pass, one message after the other.
func (s *streamGate) Read(b []byte) (int, error) {
	for len(s.rest) == 0 {
		raw, err := s.next()
		if err != nil {
			return s.end()
		}
		in, reply := s.gate.pass(raw, s.from)
		if reply != nil {
			if _, err := s.Write(reply); err != nil {
				return s.end()
			}
		}
		s.rest = in
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// end reports the end of the stream, a little late: see Linger.
func (s *streamGate) end() (int, error) {
	t := time.NewTimer(Linger)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.closed:
	}
	return 0, io.EOF
}

// Write sends with a limit, so that a phone that reads nothing cannot hold us.
func (s *streamGate) Write(b []byte) (int, error) {
	s.Conn.SetWriteDeadline(time.Now().Add(writeTime))
	n, err := s.Conn.Write(b)
	if err != nil {
		return n, net.ErrClosed // the error of the net package holds addresses
	}
	return n, nil
}

// Close gives the connection's place back.
func (s *streamGate) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.gate.senders.forget(s.from.at)
		<-s.free
	})
	if s.Conn.Close() != nil {
		return net.ErrClosed
	}
	return nil
}

// next cuts the next message off the stream. Empty lines between messages are keep-alives: two
// are answered with one (RFC 5626 section 3.5.1).
func (s *streamGate) next() ([]byte, error) {
	until := s.born.Add(strangerTime)
	if s.gate.Known(s.from.at) {
		until = time.Now().Add(idleTime)
	}
	s.Conn.SetReadDeadline(until)
	for range maxKeepAlives {
		two, err := s.in.Peek(2)
		if err != nil {
			return nil, err
		}
		if two[0] != '\r' || two[1] != '\n' {
			return s.message()
		}
		four, _ := s.in.Peek(min(4, max(2, s.in.Buffered())))
		s.in.Discard(2)
		if bytes.Equal(four, []byte("\r\n\r\n")) {
			s.in.Discard(2)
			if _, err := s.Write([]byte("\r\n")); err != nil {
				return nil, err
			}
		}
	}
	return nil, errStream
}

// message reads a head and the body that its Content-Length announces.
func (s *streamGate) message() ([]byte, error) {
	if s.gate.Known(s.from.at) {
		s.Conn.SetReadDeadline(time.Now().Add(helloTime))
	}
	var head []byte
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		line, err := s.in.ReadSlice('\n')
		if err != nil || len(head)+len(line) > maxHead {
			return nil, errStream
		}
		head = append(head, line...)
	}
	n, ok := bodyLength(head)
	if !ok || len(head)+n > MaxMessage {
		return nil, errStream
	}
	raw := append(head, make([]byte, n)...)
	if _, err := io.ReadFull(s.in, raw[len(head):]); err != nil {
		return nil, errStream
	}
	return raw, nil
}

// bodyLength finds the one Content-Length of a head. Without exactly one the end of the message
// is unknown.
func bodyLength(head []byte) (int, bool) {
	length, found := 0, 0
	for _, line := range strings.Split(string(head), "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name != "content-length" && name != "l" {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 16)
		if err != nil {
			return 0, false
		}
		length, found = int(n), found+1
	}
	return length, found == 1
}
