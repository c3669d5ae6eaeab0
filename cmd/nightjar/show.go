// Printing what the engine answers.

package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"

	"nightjar/cmd/control/api"
)

// json prints v, indented.
func (c console) json(v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// jsonLine prints v on one line.
func (c console) jsonLine(v any) error { return json.NewEncoder(c.out).Encode(v) }

// escape makes a contact's text safe to show: nothing in it can move the cursor, hide what
// follows, or turn the writing round.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString("\n  ")
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// sentence says an event in words.
func sentence(e api.Event) string {
	switch e.Kind {
	case "reachable":
		return "contacts can reach us"
	case "invitation":
		return e.Contact + " asks to be in touch: nightjar contact list"
	case "invited":
		return "the invitation lies in the inbox of " + e.Contact
	case "connected":
		return "connected with " + e.Contact
	case "lost":
		return "no longer connected with " + e.Contact
	case "message":
		return e.Contact + " wrote: nightjar read " + e.Contact
	case "delivered":
		return e.Contact + " has a message of ours"
	case "call":
		return "a call with " + e.Contact + " " + e.Text
	case "progress":
		if e.Contact != "" {
			return e.Contact + ": " + e.Text
		}
	}
	return e.Text
}
