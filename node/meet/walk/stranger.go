// What strangers may say to a node that serves: their questions, and their answers to ours, written
// anew so that nothing is left that is not known and well formed.

package walk

import "slices"

// Asked returns a stranger's question (ping, find_node, get_peers, get or put), rewritten: its keys
// sorted, those that are not known left out. It is false for everything else, and for what lacks
// something that its kind needs.
func Asked(packet []byte) ([]byte, bool) {
	d, ok := parsePacket(packet)
	if !ok || string(d.str("y")) != "q" {
		return nil, false
	}
	name := d.str("q")
	a, ok := parseDict(d.get("a"))
	args, good := asked(string(name), a)
	if !ok || !good {
		return nil, false
	}
	out := dict{{"a", args.encode()}, {"q", encodeString(name)}}
	if string(d.get("ro")) == "i1e" {
		out = append(out, entry{"ro", []byte("i1e")})
	}
	return append(out, entry{"t", d.get("t")}, entry{"y", []byte("1:q")}).encode(), true
}

// asked keeps of the arguments of a question what is known.
func asked(name string, a dict) (dict, bool) {
	need := map[string][]string{
		"ping":      {"id"},
		"find_node": {"id", "target"},
		"get_peers": {"id", "info_hash"},
		"get":       {"id", "target"},
		"put":       {"id", "token", "v"},
	}[name]
	if name == "put" && a.has("k") { // otherwise it is immutable
		need = []string{"id", "k", "seq", "sig", "token", "v"}
	}
	var out dict
	for _, key := range []string{"cas", "id", "info_hash", "k", "salt", "seq", "sig", "target",
		"token", "v"} {
		e := entry{key, a.get(key)}
		may := name == "get" && key == "seq" || name == "put" && (key == "cas" || key == "salt")
		switch {
		case slices.Contains(need, key):
			if !suits(e) {
				return nil, false
			}
			out = append(out, e)
		case may && e.raw != nil:
			if !suits(e) {
				return nil, false
			}
			out = append(out, e)
		}
	}
	return out, need != nil
}

// suits is fits, for what strangers ask and we do not.
func suits(e entry) bool {
	s, _ := scanString(e.raw)
	switch e.key {
	case "info_hash":
		return len(s) == 20
	case "salt":
		return s != nil && len(s) <= maxToken
	case "cas":
		return fits(entry{"seq", e.raw})
	case "v":
		return len(e.raw) > 0 && len(e.raw) <= maxValue // any value
	}
	return fits(e)
}

// Answered returns a stranger's answer, rewritten in the same way: of its body what a walk believes
// as well, and the address that it says we have. Of an error
// nothing is left but that it is one.
func Answered(packet []byte) ([]byte, bool) {
	tid, body, ok := parseReply(packet)
	if !ok {
		return nil, false
	}
	if body == nil {
		return dict{{"e", []byte("li201e0:e")}, {"t", encodeString(tid)},
			{"y", []byte("1:e")}}.encode(), true
	}
	var out dict
	d, _ := parsePacket(packet)
	if seen := d.str("ip"); len(seen) == 6 || len(seen) == 18 {
		out = append(out, entry{"ip", encodeString(seen)})
	}
	return append(out, entry{"r", body.encode()}, entry{"t", encodeString(tid)},
		entry{"y", []byte("1:r")}).encode(), true
}
