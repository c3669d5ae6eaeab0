// Package bridge reads bridge lines: hidden entries to the Tor network, as their operators hand
// them out, and finds the installed program that speaks a line's transport. It is pure but for
// looking whether a program is there. It never fetches anything, and starts nothing: tor does.
//
//	[Bridge] [transport] IP:PORT [fingerprint] [key=value]...
//
//	transport    obfs4, meek_lite, snowflake or webtunnel; none is tor's own protocol (vanilla)
//	IP:PORT      where tor goes; for the last three a mere name, but tor wants one
//	fingerprint  40 hexadecimal digits: who the bridge must prove to be
//	key=value    what the transport wants to know; at most 16
package bridge

import (
	"errors"
	"net/netip"
	"strings"
)

// MaxLine is the most characters of a line.
const MaxLine = 1024

// The bounds of what a transport is told.
const (
	maxArgs     = 16
	fingerprint = 40
)

var (
	// ErrLine means text that is no bridge line, or one of a transport that is not known.
	ErrLine = errors.New("not a bridge line")
	// ErrWeak means a line without what makes its bridge safe to use: the proof of who it is.
	ErrWeak = errors.New("the bridge line does not say who the bridge is")
)

// A Line is one bridge.
type Line struct {
	Transport   string // "" is tor's own protocol
	At          netip.AddrPort
	Fingerprint string   // upper case, or "" where the transport proves who it is
	Args        []string // "key=value", in their order
}

// Parse reads a line, with or without the word Bridge before it; space between the fields does not
// matter. Errors are ErrLine and ErrWeak. What it returns is written by String in one way only.
func Parse(text string) (Line, error) {
	var l Line
	if len(text) > MaxLine || !printable(text) {
		return l, ErrLine
	}
	fields := strings.Fields(text)
	if len(fields) > 0 && strings.EqualFold(fields[0], "Bridge") {
		fields = fields[1:]
	}
	if len(fields) > 0 && known(fields[0]) {
		l.Transport, fields = fields[0], fields[1:]
	}
	if len(fields) == 0 {
		return l, ErrLine
	}
	var err error
	if l.At, err = netip.ParseAddrPort(fields[0]); err != nil || l.At.Port() == 0 ||
		l.At.Addr().Zone() != "" || l.At.Addr().Is4In6() {
		return l, ErrLine
	}
	fields = fields[1:]
	if len(fields) > 0 && isFingerprint(fields[0]) {
		l.Fingerprint, fields = strings.ToUpper(fields[0]), fields[1:]
	}
	if len(fields) > maxArgs || l.Transport == "" && len(fields) > 0 {
		return l, ErrLine
	}
	for _, f := range fields {
		if !isArg(f) {
			return l, ErrLine
		}
		l.Args = append(l.Args, f)
	}
	return l, l.check()
}

// check refuses a line without the proof of who the bridge is, and one longer than tor is given.
func (l Line) check() error {
	if l.Fingerprint == "" {
		return ErrWeak
	}
	if l.Transport == "obfs4" && l.arg("cert") == "" {
		return ErrWeak
	}
	if (l.Transport == "webtunnel" || l.Transport == "meek_lite") && l.arg("url") == "" {
		return ErrLine
	}
	if len(l.Option()) > MaxLine {
		return ErrLine
	}
	return nil
}

// arg is the value of a key, or "".
func (l Line) arg(key string) string {
	for _, a := range l.Args {
		if k, v, _ := strings.Cut(a, "="); k == key {
			return v
		}
	}
	return ""
}

// String returns the line as Parse reads it: fields apart by one space, without the word Bridge.
func (l Line) String() string {
	fields := []string{}
	if l.Transport != "" {
		fields = append(fields, l.Transport)
	}
	fields = append(fields, l.At.String())
	if l.Fingerprint != "" {
		fields = append(fields, l.Fingerprint)
	}
	return strings.Join(append(fields, l.Args...), " ")
}

// Option returns the line as tor's settings want it.
func (l Line) Option() string { return "Bridge " + l.String() }

// Kind says in a word what the bridge speaks, and nothing else of it: fit to be shown.
func (l Line) Kind() string {
	if l.Transport == "" {
		return "vanilla"
	}
	return l.Transport
}

// LooksUp reports whether the transport's program may look up host names in the system's DNS, which
// shows the names to the network it is in.
func (l Line) LooksUp() bool { return l.Transport != "" && l.Transport != "obfs4" }

func known(transport string) bool { return len(programs(transport)) > 0 }

// printable reports whether text is ASCII without what tor's settings would read otherwise.
func printable(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || strings.IndexByte(`"\#%`, c) >= 0 {
			return false
		}
	}
	return true
}

func isFingerprint(s string) bool {
	if len(s) != fingerprint {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isArg reports whether s is key=value with a key of small letters, digits and "-".
func isArg(s string) bool {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" || value == "" {
		return false
	}
	for i := range len(key) {
		c := key[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
