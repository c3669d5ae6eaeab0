// What a DHT packet may look like here: the rules of the guard and of gateways (BEP5, 43 and 44).

package walk

import "slices"

const (
	maxPacket = 1500 // bytes; nothing longer is a DHT packet
	maxValue  = 1000 // bytes of an item's value, bencoded
	maxToken  = 64
	maxTID    = 16
	maxNodes  = 16
	nodeSize  = 26 // id 20 | IPv4 4 | port 2
	node6Size = 38 // id 20 | IPv6 16 | port 2 (BEP32)
)

// IsQuery reports whether a packet is a question that this package could have asked: ping,
// find_node, get, or put of a signed item, and nothing beside it. A gateway that checks it cannot
// be made to send anything else.
func IsQuery(packet []byte) bool {
	d, ok := parsePacket(packet)
	if !ok || !d.sorted() || string(d.str("y")) != "q" {
		return false
	}
	for _, e := range d {
		switch e.key {
		case "a", "q", "t", "y":
		case "ro":
			if string(e.raw) != "i1e" {
				return false
			}
		default:
			return false
		}
	}
	a, ok := parseDict(d.get("a"))
	return ok && a.sorted() && argsFit(string(d.str("q")), a)
}

// argsFit reports whether a holds exactly what the question name needs.
func argsFit(name string, a dict) bool {
	need := map[string][]string{
		"ping":      {"id"},
		"find_node": {"id", "target"},
		"get":       {"id", "target"},
		"put":       {"id", "k", "seq", "sig", "token", "v"},
	}[name]
	for _, e := range a {
		if !slices.Contains(need, e.key) && !mayAsk(name, e) {
			return false
		}
	}
	for _, key := range need {
		if !fits(entry{key, a.get(key)}) {
			return false
		}
	}
	return need != nil
}

// mayAsk lists what a question may hold beside what it needs.
func mayAsk(name string, e entry) bool {
	switch {
	case e.key == "want" && (name == "get" || name == "find_node"):
		return slices.Contains([]string{"l2:n4e", "l2:n6e", "l2:n42:n6e"}, string(e.raw))
	case e.key == "seq" && name == "get":
		return fits(e)
	}
	return false
}

// fits reports whether the entry has the type and size its key asks for.
func fits(e entry) bool {
	s, _ := scanString(e.raw)
	switch e.key {
	case "id", "target":
		return len(s) == 20
	case "k":
		return len(s) == 32
	case "sig":
		return len(s) == 64
	case "token":
		return len(s) > 0 && len(s) <= maxToken
	case "seq":
		return len(e.raw) > 0 && e.raw[0] == 'i' && e.raw[1] != '-'
	case "nodes":
		return s != nil && len(s)%nodeSize == 0 && len(s) <= maxNodes*nodeSize
	case "nodes6":
		return s != nil && len(s)%node6Size == 0 && len(s) <= maxNodes*node6Size
	case "v":
		return s != nil && len(e.raw) <= maxValue
	}
	return false
}

// IsReply reports whether a packet is an answer or an error as this package would accept it.
func IsReply(packet []byte) bool {
	_, _, ok := parseReply(packet)
	return ok
}

func parsePacket(packet []byte) (dict, bool) {
	d, ok := parseDict(packet)
	n := len(d.str("t"))
	return d, ok && n > 0 && n <= maxTID
}

// parseReply returns the transaction id of an answer and what may be believed of its body; of an
// error the body is nil. It is false for what is no answer.
func parseReply(packet []byte) (tid []byte, body dict, ok bool) {
	d, ok := parsePacket(packet)
	if !ok {
		return nil, nil, false
	}
	switch string(d.str("y")) {
	case "e":
		e := d.get("e")
		return d.str("t"), nil, len(e) > 0 && e[0] == 'l'
	case "r":
		r, ok := parseDict(d.get("r"))
		body, good := believable(r)
		return d.str("t"), body, ok && good
	}
	return nil, nil, false
}

// believable keeps of an answer's body what is known and well formed. It is false when something
// known is not well formed. An item must be whole, or it is left out.
func believable(r dict) (dict, bool) {
	item := r.has("k") && r.has("seq") && r.has("sig") && r.has("v")
	var out dict
	for _, key := range []string{"id", "k", "nodes", "nodes6", "seq", "sig", "token", "v"} {
		e := entry{key, r.get(key)}
		if e.raw == nil {
			continue
		}
		if !fits(e) {
			return nil, false
		}
		if item || (key != "k" && key != "seq" && key != "sig" && key != "v") {
			out = append(out, e)
		}
	}
	return out, r.has("id")
}
