// How far tor has come in reaching its network (control-spec, status/bootstrap-phase).

package torconf

import (
	"strconv"
	"strings"
)

// A Phase is a step on the way to the network.
type Phase struct {
	Percent int
	Tag     string // tor's word for the step, such as "conn_done"
	Reason  string // tor's word for what went wrong last, such as "CONNECTREFUSED", or ""
}

// Word returns the tag, with the reason if there is one: "conn (NOROUTE)".
func (p Phase) Word() string {
	if p.Reason == "" {
		return p.Tag
	}
	return p.Tag + " (" + p.Reason + ")"
}

// ParsePhase reads a phase. Only tor's fixed words pass: its summary, and the addresses that come
// with a warning, do not.
func ParsePhase(line string) (Phase, bool) {
	var p Phase
	if !strings.Contains(line, " BOOTSTRAP ") {
		return p, false
	}
	for _, field := range strings.Fields(line) {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "PROGRESS":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > 100 {
				return p, false
			}
			p.Percent = n
		case "TAG":
			p.Tag = word(value)
		case "REASON":
			p.Reason = word(value)
		}
	}
	return p, p.Tag != ""
}

// word returns s if it is one short word of letters and underscores, and "" otherwise.
func word(s string) string {
	if len(s) > 32 {
		return ""
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' {
			return ""
		}
	}
	return s
}

// Answered reports whether a relay or bridge has answered at this step, to a first connection or to
// that of a guard.
func (p Phase) Answered() bool {
	switch p.Tag {
	case "starting", "conn_pt", "conn_done_pt", "conn_proxy", "conn_done_proxy", "conn",
		"conn_done", "handshake", "ap_conn_pt", "ap_conn_done_pt", "ap_conn_proxy",
		"ap_conn_done_proxy",
		"ap_conn", "ap_conn_done", "ap_handshake":
		return false
	}
	return true
}
