// Errors as people and as programs get them.
package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"nightjar/cmd/control"
)

func TestErrorsOfJSONCommandsAreJSON(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"status", "--json", "--home", t.TempDir()},
		console{out: &out, err: &errs})
	var r refusal
	if err := json.Unmarshal(errs.Bytes(), &r); err != nil || code != 1 || out.Len() != 0 {
		t.Fatalf("code %d, %v: %s", code, err, errs.String())
	}
	if r.Code != "failed" || r.Message != control.ErrNoEngine.Error() || r.Hint == "" {
		t.Errorf("%+v", r)
	}
}

func TestHintsRepeatTheHomeThatWasGiven(t *testing.T) {
	for _, args := range [][]string{{"--home", "stick"}, {"--home=stick"}, {"-home", "stick"}} {
		asJSON, home := given(args)
		var errs bytes.Buffer
		console{err: &errs, asJSON: asJSON, home: home}.tell(control.ErrNoEngine)
		if !strings.Contains(errs.String(), "nightjar up (and --home stick") {
			t.Errorf("%q: %s", args, errs.String())
		}
	}
	if _, home := given([]string{"--", "--home", "x"}); home != "" {
		t.Error("what follows -- is no flag")
	}
}
