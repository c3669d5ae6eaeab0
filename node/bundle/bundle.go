// Package bundle is the file that opens a network to somebody who knows nobody in it: gateways, DHT
// nodes, pkarr relays and bridge lines, as text that a person can read before using it.
//
//	nightjar-bundle 1
//	gateway nightjar-gateway:<service id>:<port>   at most 32
//	node <IP:port>                                 at most 200
//	relay <URL>                                    at most 16
//	bridge <bridge line>                           at most 32
//	sum <first 8 bytes of SHA-256 of all lines before, 16 hexadecimal digits>
//
// Lines end with a line feed; those of one kind stand together, in this order, each once; at most
// 64 KiB. A bundle is not signed: a signature would name who made it, and what is in it need not be
// believed: gateways, nodes and relays can only fail us, and a bridge is used when its user says
// so. The sum is against slips.
package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"nightjar/node/card"
)

// MaxSize is the most bytes a bundle has.
const MaxSize = 64 << 10

const (
	first     = "nightjar-bundle "
	version   = "1"
	maxBridge = 1024 // characters of a line
)

var (
	// ErrBundle: the text is no bundle, or a character of it is missing or wrong.
	ErrBundle = errors.New("not a bundle, or damaged")
	// ErrVersion: the bundle is whole, but of a version this program cannot read.
	ErrVersion = errors.New("made by another version")
	// ErrSize: more than fits a bundle.
	ErrSize = errors.New("too much for a bundle")
)

// A Bundle is what a file holds.
type Bundle struct {
	Gateways []card.Gateway
	Nodes    []netip.AddrPort // DHT nodes
	Relays   []string         // pkarr relays: https URLs, or http of an onion service
	Bridges  []string         // tor bridge lines
}

// kind is one kind of line.
type kind struct {
	word string
	most int // lines of it
}

// kinds are in the order of the file.
func kinds() []kind { return []kind{{"gateway", 32}, {"node", 200}, {"relay", 16}, {"bridge", 32}} }

// lines are the values of b by kind.
func (b *Bundle) lines() map[string][]string {
	out := map[string][]string{"relay": b.Relays, "bridge": b.Bridges}
	for _, g := range b.Gateways {
		out["gateway"] = append(out["gateway"], g.String())
	}
	for _, n := range b.Nodes {
		out["node"] = append(out["node"], n.String())
	}
	return out
}

// Encode returns the text of b: ErrSize when there is too much of something, ErrBundle when
// something cannot be in a bundle.
func (b *Bundle) Encode() (string, error) {
	var s strings.Builder
	s.WriteString(first + version + "\n")
	lines := b.lines()
	for _, k := range kinds() {
		if len(lines[k.word]) > k.most {
			return "", ErrSize
		}
		for _, v := range lines[k.word] {
			s.WriteString(k.word + " " + v + "\n")
		}
	}
	text := s.String() + "sum " + sum(s.String()) + "\n"
	if len(text) > MaxSize {
		return "", ErrSize
	}
	if _, err := Parse(text); err != nil { // what we write, all must be able to read
		return "", err
	}
	return text, nil
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:8])
}

// Parse reads what Encode wrote: ErrSize, ErrBundle or ErrVersion for everything else. Line ends of
// other systems are taken for ours.
func Parse(text string) (*Bundle, error) {
	if len(text) > MaxSize {
		return nil, ErrSize
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	head, _, _ := strings.Cut(text, "\n")
	at := strings.LastIndex(text, "sum ")
	if !strings.HasPrefix(head, first) || at < len(first) || text[at-1] != '\n' ||
		text[at:] != "sum "+sum(text[:at])+"\n" {
		return nil, ErrBundle
	}
	if head != first+version {
		return nil, ErrVersion
	}
	b := new(Bundle)
	last := 0
	seen := map[string]bool{}
	for line := range strings.Lines(text[len(head)+1 : at]) {
		line = strings.TrimSuffix(line, "\n")
		word, value, _ := strings.Cut(line, " ")
		at := slices.IndexFunc(kinds(), func(k kind) bool { return k.word == word })
		if at < last || seen[line] || !b.add(word, value) {
			return nil, ErrBundle
		}
		last, seen[line] = at, true
	}
	for _, k := range kinds() {
		if len(b.lines()[k.word]) > k.most {
			return nil, ErrSize
		}
	}
	return b, nil
}

// add takes in one line, and reports whether it is as Encode writes it.
func (b *Bundle) add(word, value string) bool {
	switch word {
	case "gateway":
		g, err := card.ParseGateway(value)
		b.Gateways = append(b.Gateways, g)
		return err == nil && g.String() == value
	case "node":
		n, err := netip.ParseAddrPort(value)
		b.Nodes = append(b.Nodes, n)
		ip := n.Addr()
		return err == nil && n.String() == value && n.Port() != 0 && !ip.Is4In6() &&
			!ip.IsUnspecified() && !ip.IsMulticast() && ip.Zone() == ""
	case "relay":
		b.Relays = append(b.Relays, value)
		return card.CheckRelay(value) == nil
	case "bridge":
		b.Bridges = append(b.Bridges, value)
		return bridge(value)
	}
	return false
}

// bridge reports whether s is one line of printable ASCII without space around it.
func bridge(s string) bool {
	return s != "" && len(s) <= maxBridge && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
