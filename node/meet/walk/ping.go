// Pings, and where the answers say they were sent to: how somebody learns its own address (BEP42).

package walk

import (
	"encoding/binary"
	"net/netip"
)

// Ping returns the question that asks a node for nothing but an answer. id is a node id that nobody
// has seen before; tid, 1 to 16 bytes, comes back in the answer.
func Ping(id [20]byte, tid []byte) []byte {
	return dict{
		{"a", dict{{"id", encodeString(id[:])}}.encode()},
		{"q", []byte("4:ping")},
		{"ro", []byte("i1e")}, // we answer nothing: nobody shall remember us (BEP43)
		{"t", encodeString(tid)},
		{"y", []byte("1:q")},
	}.encode()
}

// Pong reads an answer: the tid of its question, and the address to which the node says it sent it;
// that is not valid if the node says none. It is false for what is no answer.
func Pong(packet []byte) (tid []byte, seen netip.AddrPort, ok bool) {
	d, ok := parsePacket(packet)
	if !ok || string(d.str("y")) != "r" {
		return nil, seen, false
	}
	if b := d.str("ip"); len(b) == 6 || len(b) == 18 {
		ip, _ := netip.AddrFromSlice(b[:len(b)-2])
		seen = netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(b[len(b)-2:]))
	}
	return d.str("t"), seen, true
}

// FindNode returns the question for the nodes nearest to a target, of IPv4. id and tid are as for
// Ping.
func FindNode(id, target [20]byte, tid []byte) []byte {
	return dict{
		{"a", dict{{"id", encodeString(id[:])}, {"target", encodeString(target[:])},
			{"want", []byte("l2:n4e")}}.encode()},
		{"q", []byte("9:find_node")},
		{"ro", []byte("i1e")},
		{"t", encodeString(tid)},
		{"y", []byte("1:q")},
	}.encode()
}

// Named reads an answer: the tid of its question, and the IPv4 nodes that it names. It is false for
// what is no answer.
func Named(packet []byte) (tid []byte, nodes []netip.AddrPort, ok bool) {
	tid, body, ok := parseReply(packet)
	if !ok || body == nil {
		return nil, nil, false
	}
	for b := body.str("nodes"); len(b) >= nodeSize; b = b[nodeSize:] {
		ip, port := netip.AddrFrom4([4]byte(b[20:])), binary.BigEndian.Uint16(b[24:])
		if a := netip.AddrPortFrom(ip, port); askable(a) {
			nodes = append(nodes, a)
		}
	}
	return tid, nodes, true
}
