// Strict, bounded bencode (BEP3): just enough to look into a packet before anything else does.

package walk

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

const maxDepth = 6

// entry is one key of a dictionary and its value, still encoded.
type entry struct {
	key string
	raw []byte
}

// dict is a dictionary in the order of the packet.
type dict []entry

// parseDict reads a dictionary that fills b, a packet or a part of one. It refuses keys that come
// twice, numbers with leading zeros, and nesting deeper than maxDepth. The values stay slices of b.
func parseDict(b []byte) (dict, bool) {
	if len(b) < 2 || len(b) > maxPacket || b[0] != 'd' {
		return nil, false
	}
	var d dict
	i := 1
	for i < len(b) && b[i] != 'e' {
		key, n := scanString(b[i:])
		if n == 0 {
			return nil, false
		}
		i += n
		n = scan(b[i:], 1)
		if n == 0 || d.has(string(key)) {
			return nil, false
		}
		d = append(d, entry{string(key), b[i : i+n]})
		i += n
	}
	return d, i == len(b)-1
}

// scan returns the length of the value that b begins with, or 0.
func scan(b []byte, depth int) int {
	if len(b) == 0 || depth > maxDepth {
		return 0
	}
	switch b[0] {
	case 'i':
		return scanInt(b)
	case 'l':
		return scanItems(b, depth, 1)
	case 'd':
		return scanItems(b, depth, 2)
	default:
		_, n := scanString(b)
		return n
	}
}

// scanItems scans a list, or a dictionary as a list of pairs whose first is a string.
func scanItems(b []byte, depth, group int) int {
	i := 1
	for count := 0; i < len(b); count++ {
		if b[i] == 'e' && count%group == 0 {
			return i + 1
		}
		if group == 2 && count%2 == 0 && (b[i] < '0' || b[i] > '9') {
			return 0
		}
		n := scan(b[i:], depth+1)
		if n == 0 {
			return 0
		}
		i += n
	}
	return 0
}

func scanString(b []byte) (s []byte, n int) {
	colon := bytes.IndexByte(b[:min(len(b), 5)], ':')
	if colon < 1 {
		return nil, 0
	}
	size, ok := number(b[:colon])
	if !ok || colon+1+size > len(b) {
		return nil, 0
	}
	return b[colon+1 : colon+1+size], colon + 1 + size
}

func scanInt(b []byte) int {
	end := bytes.IndexByte(b[:min(len(b), 22)], 'e')
	if end < 2 {
		return 0
	}
	v, err := strconv.ParseInt(string(b[1:end]), 10, 64)
	if err != nil || strconv.FormatInt(v, 10) != string(b[1:end]) {
		return 0
	}
	return end + 1
}

// number reads a decimal of up to four digits without leading zero.
func number(b []byte) (int, bool) {
	v, err := strconv.ParseUint(string(b), 10, 16)
	return int(v), err == nil && strconv.FormatUint(v, 10) == string(b)
}

func (d dict) has(key string) bool {
	return slices.ContainsFunc(d, func(e entry) bool { return e.key == key })
}

// get returns the encoded value of key, or nil.
func (d dict) get(key string) []byte {
	for _, e := range d {
		if e.key == key {
			return e.raw
		}
	}
	return nil
}

// str returns the string value of key, or nil if it is absent or no string.
func (d dict) str(key string) []byte {
	s, _ := scanString(d.get(key))
	return s
}

// sorted reports whether the keys come in the order that BEP3 asks for.
func (d dict) sorted() bool {
	return slices.IsSortedFunc(d, func(a, b entry) int { return strings.Compare(a.key, b.key) })
}

// encode writes d as it is.
func (d dict) encode() []byte {
	b := []byte{'d'}
	for _, e := range d {
		b = append(b, encodeString([]byte(e.key))...)
		b = append(b, e.raw...)
	}
	return append(b, 'e')
}

func encodeString(s []byte) []byte {
	b := append(strconv.AppendInt(nil, int64(len(s)), 10), ':')
	return append(b, s...)
}
