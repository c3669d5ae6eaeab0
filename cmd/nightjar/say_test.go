// Errors as people and as programs get them.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"nightjar/cmd/control"
)

// refused runs a command that is refused, and returns the object of JSON that says so.
func refused(t *testing.T, want int, args ...string) (r refusal) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, console{out: &out, err: &errs})
	dec := json.NewDecoder(&errs)
	if err := dec.Decode(&r); err != nil || code != want || out.Len() != 0 || dec.More() {
		t.Fatalf("%q: code %d, %v, said %q", args, code, err, out.String())
	}
	return r
}

func TestErrorsOfJSONCommandsAreOneObject(t *testing.T) {
	home := t.TempDir()
	r := refused(t, 1, "status", "--json", "--home", home)
	if r.Code != "no-engine" || r.Message != control.ErrNoEngine.Error() ||
		!strings.HasSuffix(r.Hint, "nightjar up --home "+home) {
		t.Errorf("%+v", r)
	}
	for _, args := range [][]string{{"send", "--json"}, {"send", "--jsn", "--json"}, {"card", "--json"},
		{"frobnicate", "--json"}, {"up", "--json", "--lock-after", "0"}, {"--json"},
		{"init", "--json", "--home", home, "--keep", "17"}} {
		if r := refused(t, 2, args...); r.Code != "usage" || r.Message == "" || r.Hint == "" {
			t.Errorf("%q: %+v", args, r)
		}
	}
}

func TestEveryErrorWithANextStepHasACode(t *testing.T) {
	for _, h := range slices.Concat(hints(), hintsOfWords(), torHints(), wayHints()) {
		if code(h.is) == "failed" {
			t.Errorf("%q has no code", h.is)
		}
	}
}

func TestEveryCodeIsInTheDocuments(t *testing.T) {
	doc, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	all := []control.Code{"usage", "failed", "stopped", "interrupted", "killed",
		"bad-words"}
	for _, c := range codes() {
		all = append(all, c.code)
	}
	for c := range codeHints() {
		all = append(all, c)
	}
	for _, c := range all {
		if !bytes.Contains(doc, []byte("`"+string(c)+"`")) {
			t.Errorf("docs/api.md does not tell of %s", c)
		}
	}
}

func TestCommandsInHintsSayWhere(t *testing.T) {
	for _, args := range [][]string{{"--home", "stick"}, {"--home=stick"}, {"-home", "stick"}} {
		var errs bytes.Buffer
		console{err: &errs}.given(args).tell(control.ErrNoEngine)
		if !strings.Contains(errs.String(), "nightjar up --home stick\n") {
			t.Errorf("%q: %s", args, errs.String())
		}
	}
	if c := (console{}).given([]string{"--", "--home", "x"}); c.home != "" {
		t.Error("what follows -- is no flag")
	}
	c := console{home: "my stick", as: "newsdesk"}
	for text, want := range map[string]string{
		"see which are: nightjar bridge list; add one: nightjar bridge add LINE": "see which are: " +
			"nightjar bridge list --home 'my stick' --as newsdesk; add one: nightjar bridge add " +
			"--home 'my stick' --as newsdesk LINE",
		"nightjar card show, and more":           "nightjar card show --home 'my stick' --as newsdesk, and more",
		"start it: nightjar up":                  "start it: nightjar up --home 'my stick'",
		"lock it: nightjar lock --as NAME":       "lock it: nightjar lock --home 'my stick' --as NAME",
		"the line that nightjar gateway printed": "the line that nightjar gateway printed",
		"see nightjar: it is a bird":             "see nightjar: it is a bird",
	} {
		if got := c.here(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestAFullDiskIsSaidInItsOwnWords(t *testing.T) {
	for errno, want := range map[syscall.Errno]control.Code{syscall.ENOSPC: "disk-full",
		syscall.EDQUOT: "disk-full", syscall.EROFS: "disk-read-only",
		syscall.EACCES: "disk-denied", syscall.EIO: "disk-broken"} {
		err := fmt.Errorf("write vault: %w", errno)
		if code(err) != want || hint(err) == "" || strings.Contains(what(err), errno.Error()) {
			t.Errorf("%v: %s, %q, %q", errno, code(err), what(err), hint(err))
		}
	}
	if err := errors.New("of another kind"); code(err) != "failed" || hint(err) != "" {
		t.Error("every error is one of the disk: this test proves nothing")
	}
}

func TestAnEngineThatWasKilledIsSpokenOf(t *testing.T) {
	var errs bytes.Buffer
	c := console{err: &errs}
	if got := c.say(&command{name: "up"}, ended(137)); got != 137 ||
		!strings.Contains(errs.String(), "the engine was killed") ||
		!strings.Contains(errs.String(), "hint: start it again: nightjar up") {
		t.Errorf("%d: %s", got, errs.String())
	}
	errs.Reset()
	if got := c.say(&command{name: "up"}, ended(1)); got != 1 || errs.Len() > 0 {
		t.Errorf("of one that has said why: %d: %s", got, errs.String())
	}
}
