// Whether a gateway carries IPv6, and what nodes of it it knows.

package frame

import (
	"encoding/binary"
	"net/netip"
)

// question6 begins the question about IPv6 and its answer.
const question6 = 6

// Question6 is the payload that asks a gateway about IPv6.
func Question6() []byte { return []byte{question6} }

// Asks6 reports whether a payload to the gateway is Question6.
func Asks6(b []byte) bool { return len(b) == 1 && b[0] == question6 }

// Append6 appends the payload of an answer to Question6: whether the gateway carries IPv6, and at
// most MaxNodes of the nodes that are IPv6.
func Append6(b []byte, carries bool, nodes []netip.AddrPort) []byte {
	says := byte(0)
	if carries {
		says = 1
	}
	b, n := append(b, question6, says), 0
	for _, node := range nodes {
		if n < MaxNodes && plain6(node.Addr()) && node.Port() != 0 {
			b = binary.BigEndian.AppendUint16(append(b, node.Addr().AsSlice()...), node.Port())
			n++
		}
	}
	return b
}

// Is6 reports whether an answer of a gateway is one to Question6: no answer with nodes of IPv4 has
// such a length.
func Is6(b []byte) bool { return len(b)%nodeSize == 2 }

// Parse6 reads what Append6 wrote. ErrFrame means that it is something else.
func Parse6(b []byte) (carries bool, nodes []netip.AddrPort, err error) {
	if len(b) < 2 || (len(b)-2)%node6Size != 0 || len(b) > 2+MaxNodes*node6Size ||
		b[0] != question6 || b[1] > 1 {
		return false, nil, ErrFrame
	}
	carries = b[1] == 1
	for b = b[2:]; len(b) > 0; b = b[node6Size:] {
		node := netip.AddrPortFrom(netip.AddrFrom16([ip6Size]byte(b)),
			binary.BigEndian.Uint16(b[ip6Size:]))
		if !plain6(node.Addr()) || node.Port() == 0 {
			return false, nil, ErrFrame
		}
		nodes = append(nodes, node)
	}
	return carries, nodes, nil
}
