// This file lists what a rule lets pass, one place at a time, with the reason.

package audit

import (
	"strings"
	"testing"

	"nightjar/audit/rules/house"
)

// An exception is one finding that is allowed to stand.
type exception struct {
	rule string
	file string // as in the finding
	what string // begins what the finding says
	why  string
}

var exceptions = []exception{
	{rule: "vars", file: "sip/stack/stack.go", what: "package variable quiet",
		why: "the SIP library keeps its log in a package variable; it is silenced once"},
	{rule: "texts", file: "onion/torproc/start.go", what: "error text holds a string",
		why: "torconf.Phase.Word passes tor's fixed words only, which torconf's tests prove"},
	{rule: "exports", file: "onion/dial.go", what: "package exports 39 names",
		why: "the one door to four layers below it; a third of the names are sentinels"},
	{rule: "exports", file: "keystore/create.go", what: "package exports 34 names",
		why: "all the ways in which an identity begins; a third of the names are sentinels"},
	{rule: "exports", file: "node/addresses.go", what: "package exports 30 names",
		why: "one type, its options, and what its methods take and give"},
	{rule: "exports", file: "onion/torproc/conversation.go", what: "package exports 33 names",
		why: "half of the names are sentinels, a fifth what can be noticed"},
	{rule: "exports", file: "cmd/control/api/api.go", what: "package exports 26 names",
		why: "one type for each body that crosses the socket"},
	{rule: "exports", file: "node/card/address.go", what: "package exports 26 names",
		why: "a third of the names are sentinels"},
	{rule: "exports", file: "node/talk/call.go", what: "package exports 27 names",
		why: "messages and calls in one place, so that sip reads a single package of node"},
}

// allowed reports whether a finding is an exception, and notes that the exception is used.
func allowed(rule string, f house.Finding, used map[int]bool) bool {
	for i, e := range exceptions {
		if e.rule == rule && e.file == f.File && strings.HasPrefix(f.What, e.what) {
			used[i] = true
			return true
		}
	}
	return false
}

// unused lists the exceptions of a rule that nothing needs any more.
func unused(rule string, used map[int]bool) []string {
	var out []string
	for i, e := range exceptions {
		if e.rule == rule && !used[i] {
			out = append(out, e.file+": nothing needs the exception for "+e.what+": take it out")
		}
	}
	return out
}

func TestExceptionsHaveReasons(t *testing.T) {
	for _, e := range exceptions {
		if e.rule == "" || e.file == "" || e.what == "" || e.why == "" {
			t.Errorf("%s %s: an exception names its rule, file, words and reason", e.rule, e.file)
		}
	}
}
