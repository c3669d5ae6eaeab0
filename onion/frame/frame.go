// Package frame is what a gateway and its client say to each other, and where a gateway may send.
// It is pure: it has no socket and no clock, and does not know what a datagram means.
//
// A stream is a sequence of frames, the same in both directions. Numbers are big endian.
//
//	offset  size  content
//	     0     2  length: bytes after this field, 6 to 1506
//	     2     4  IPv4 address: of the DHT node that the datagram goes to, or came from
//	     6     2  its UDP port
//	     8     n  the datagram, 0 to 1500 bytes
//
// IPv6 came later. Address 0.0.0.6 says that the node's IPv6 address, 16 bytes, stands before the
// datagram, which then has at most 1484 bytes. A gateway that does not know this drops it, for
// nobody has an address in 0.0.0.0/8.
//
// Address 0.0.0.0 with port 0 is the gateway itself. An empty payload asks it for DHT nodes; its
// answer has up to 16 of them, as IPv4 address and port, 6 bytes each (the compact form of BEP 5).
// The payload 06 asks whether it carries IPv6. A gateway that does not know the question says
// nothing; one that does answers with
//
//	offset  size  content
//	     0     1  06
//	     1     1  1 if it carries IPv6, 0 if not
//	     2  n*18  up to 16 DHT nodes, as IPv6 address and port
package frame

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
)

const (
	// MaxPayload is the largest datagram, in bytes.
	MaxPayload = 1500
	// MaxFrame is the largest frame, in bytes.
	MaxFrame = headerSize + MaxPayload
	// MaxNodes is how many nodes one answer holds.
	MaxNodes = 16

	lengthSize = 2
	headerSize = 8
	nodeSize   = 6
	ip6Size    = 16
	node6Size  = ip6Size + 2
)

// ErrFrame means bytes that are not a frame, or a datagram that fits in none.
var ErrFrame = errors.New("not a gateway frame")

// A Frame is a datagram and the node that it goes to or came from.
type Frame struct {
	Node    netip.AddrPort // IPv4, or IPv6 without a zone that is no IPv4 address in disguise
	Payload []byte
}

// Control is the address of the gateway itself.
func Control() netip.AddrPort { return netip.AddrPortFrom(netip.IPv4Unspecified(), 0) }

// prefix6 is the address of a frame whose payload begins with an IPv6 address.
func prefix6() netip.Addr { return netip.AddrFrom4([4]byte{0, 0, 0, 6}) }

// plain6 reports whether a is an IPv6 address, and written in the one way there is.
func plain6(a netip.Addr) bool { return a.Is6() && !a.Is4In6() && a.Zone() == "" }

// Append appends f to b. ErrFrame means that the payload is too long, or the node none.
func (f Frame) Append(b []byte) ([]byte, error) {
	if ip := f.Node.Addr(); plain6(ip) {
		if len(f.Payload) > MaxPayload-ip6Size {
			return b, ErrFrame
		}
		b = binary.BigEndian.AppendUint16(b, uint16(nodeSize+ip6Size+len(f.Payload)))
		b = appendNode(b, netip.AddrPortFrom(prefix6(), f.Node.Port()))
		return append(append(b, ip.AsSlice()...), f.Payload...), nil
	}
	if !f.Node.Addr().Is4() || f.Node.Addr() == prefix6() || len(f.Payload) > MaxPayload {
		return b, ErrFrame
	}
	b = binary.BigEndian.AppendUint16(b, uint16(headerSize-lengthSize+len(f.Payload)))
	b = appendNode(b, f.Node)
	return append(b, f.Payload...), nil
}

// Read reads one frame. Its payload is a slice of buf, which has MaxFrame bytes. An io.EOF means
// that the stream ended between frames, ErrFrame that it holds something else.
func Read(r io.Reader, buf []byte) (Frame, error) {
	if _, err := io.ReadFull(r, buf[:lengthSize]); err != nil {
		return Frame{}, err
	}
	n := int(binary.BigEndian.Uint16(buf))
	if n < headerSize-lengthSize || n > headerSize-lengthSize+MaxPayload {
		return Frame{}, ErrFrame
	}
	body := buf[lengthSize : lengthSize+n]
	if _, err := io.ReadFull(r, body); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	f := Frame{parseNode(body), body[nodeSize:]}
	if f.Node.Addr() != prefix6() {
		return f, nil
	}
	if len(f.Payload) < ip6Size {
		return Frame{}, ErrFrame
	}
	ip := netip.AddrFrom16([ip6Size]byte(f.Payload))
	if !plain6(ip) {
		return Frame{}, ErrFrame
	}
	return Frame{netip.AddrPortFrom(ip, f.Node.Port()), f.Payload[ip6Size:]}, nil
}

// AppendNodes appends the payload of an answer: at most MaxNodes of the nodes that are IPv4.
func AppendNodes(b []byte, nodes []netip.AddrPort) []byte {
	n := 0
	for _, node := range nodes {
		node = netip.AddrPortFrom(node.Addr().Unmap(), node.Port())
		if n < MaxNodes && node.Addr().Is4() && node.Port() != 0 {
			b = appendNode(b, node)
			n++
		}
	}
	return b
}

// ParseNodes reads the payload of an answer. ErrFrame means that it is none.
func ParseNodes(b []byte) ([]netip.AddrPort, error) {
	if len(b)%nodeSize != 0 || len(b) > MaxNodes*nodeSize {
		return nil, ErrFrame
	}
	nodes := make([]netip.AddrPort, 0, len(b)/nodeSize)
	for ; len(b) > 0; b = b[nodeSize:] {
		node := parseNode(b)
		if node.Port() == 0 {
			return nil, ErrFrame
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

func appendNode(b []byte, node netip.AddrPort) []byte {
	ip := node.Addr().As4()
	return binary.BigEndian.AppendUint16(append(b, ip[:]...), node.Port())
}

func parseNode(b []byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.BigEndian.Uint16(b[4:]))
}
