// Claims about the table of mutants that need no network.

package mutants

import (
	"errors"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

const root = "../.."

func TestEveryMutantStillFindsItsLine(t *testing.T) {
	names := map[string]bool{}
	all := append(append(All(), unseal()), unchecked()...)
	for _, m := range going() {
		all = append(all, m.Also...)
	}
	for _, m := range all {
		if names[m.Name] {
			t.Errorf("%s: twice", m.Name)
		}
		names[m.Name] = true
		b, err := os.ReadFile(filepath.Join(root, m.File))
		if err != nil {
			t.Fatal(err)
		}
		text, err := m.change(string(b))
		if err != nil {
			t.Error(err)
			continue
		}
		if text == string(b) {
			t.Errorf("%s: changes nothing", m.Name)
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.File, text, 0); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
	if len(All()) < 24 {
		t.Errorf("%d mutants", len(All()))
	}
}

func TestMutantOfAnotherTreeIsRefused(t *testing.T) {
	m := unseal()
	if _, err := m.change("package main\n"); !errors.Is(err, ErrStale) {
		t.Errorf("got %v", err)
	}
}
