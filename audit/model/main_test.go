// That the results which are committed are those of the models which are committed.

package main

import (
	"os"
	"strings"
	"testing"
)

func TestResultsAreThoseOfTheModels(t *testing.T) {
	want, err := digests(".")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	said, got, _ := strings.Cut(string(b), "\n\n")
	if got != want {
		t.Error("a model has changed since it was proved: make model")
	}
	for _, path := range scenarios(".") {
		_, after, found := strings.Cut("\n"+said, "\n"+path+"\n")
		if result, _, _ := strings.Cut(after, "\n"); !found || !strings.HasPrefix(result, "\t") {
			t.Error("no result of", path)
		}
	}
	if len(scenarios(".")) < 14 {
		t.Error("scenarios:", len(scenarios(".")))
	}
}
