// Questions and answers as bytes. What is read here has been rewritten by package walk.

package serve

import (
	"encoding/binary"
	"net/netip"

	"github.com/anacrolix/torrent/bencode"

	"nightjar/node/meet/walk"
)

// message is any packet.
type message struct {
	A  *args   `bencode:"a,omitempty"`
	E  []any   `bencode:"e,omitempty"`
	IP string  `bencode:"ip,omitempty"`
	Q  string  `bencode:"q,omitempty"`
	R  *result `bencode:"r,omitempty"`
	RO int     `bencode:"ro,omitempty"`
	T  string  `bencode:"t"`
	Y  string  `bencode:"y"`
}

// args are those of a question.
type args struct {
	Cas    *int64        `bencode:"cas,omitempty"`
	ID     string        `bencode:"id"`
	Hash   string        `bencode:"info_hash,omitempty"`
	K      string        `bencode:"k,omitempty"`
	Salt   string        `bencode:"salt,omitempty"`
	Seq    *int64        `bencode:"seq,omitempty"`
	Sig    string        `bencode:"sig,omitempty"`
	Target string        `bencode:"target,omitempty"`
	Token  string        `bencode:"token,omitempty"`
	V      bencode.Bytes `bencode:"v,omitempty"`
	Want   []string      `bencode:"want,omitempty"`
}

// result is the body of an answer.
type result struct {
	ID     string        `bencode:"id"`
	K      string        `bencode:"k,omitempty"`
	Nodes  string        `bencode:"nodes,omitempty"`
	Nodes6 string        `bencode:"nodes6,omitempty"`
	Seq    *int64        `bencode:"seq,omitempty"`
	Sig    string        `bencode:"sig,omitempty"`
	Token  string        `bencode:"token,omitempty"`
	V      bencode.Bytes `bencode:"v,omitempty"`
}

// read reads a packet of a stranger; false for what nobody may say.
func read(packet []byte) (m message, question, ok bool) {
	clean, question := walk.Asked(packet)
	if !question {
		if clean, ok = walk.Answered(packet); !ok {
			return m, false, false
		}
	}
	if bencode.Unmarshal(clean, &m) != nil {
		return m, false, false
	}
	return m, question, true
}

func (m message) bytes() []byte {
	b, err := bencode.Marshal(m)
	if err != nil {
		return nil // nothing of it can fail to be written
	}
	return b
}

// target is what a question is about.
func (a *args) target() [20]byte {
	if a.Hash != "" {
		return [20]byte([]byte(a.Hash))
	}
	return [20]byte([]byte(a.Target))
}

// item is what a put brings.
func (a *args) item() *item {
	i := &item{value: []byte(a.V)}
	if a.K != "" {
		i.mutable, i.seq, i.salt = true, *a.Seq, []byte(a.Salt)
		copy(i.key[:], a.K)
		copy(i.sig[:], a.Sig)
	}
	return i
}

// show adds an item to an answer, or its seq alone to those who have it.
func (r *result) show(i *item, since *int64) {
	if !i.mutable {
		r.V = i.value
		return
	}
	r.Seq = &i.seq
	if since == nil || *since < i.seq {
		r.K, r.Sig, r.V = string(i.key[:]), string(i.sig[:]), i.value
	}
}

// name adds a node to an answer.
func (r *result) name(n *node) {
	b := append(n.id[:], compact(n.addr)...)
	if n.addr.Addr().Is4() {
		r.Nodes += string(b)
	} else {
		r.Nodes6 += string(b)
	}
}

// compact is an address as BEP5 and BEP32 write it.
func compact(a netip.AddrPort) []byte {
	return binary.BigEndian.AppendUint16(a.Addr().AsSlice(), a.Port())
}

// named are the nodes that an answer names, of one kind.
func (r *result) named(six bool) (out []node) {
	b, size := []byte(r.Nodes), 26
	if six {
		b, size = []byte(r.Nodes6), 38
	}
	for ; len(b) >= size; b = b[size:] {
		ip, _ := netip.AddrFromSlice(b[20 : size-2])
		out = append(out, node{id: [20]byte(b),
			addr: netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[size-2:]))})
	}
	return out
}

// seen is the address that an answer says we have.
func (m *message) seen() netip.Addr {
	b := []byte(m.IP)
	if len(b) < 6 {
		return netip.Addr{}
	}
	ip, _ := netip.AddrFromSlice(b[:len(b)-2])
	return ip
}
