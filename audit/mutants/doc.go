// Package mutants makes variants of nightjar that leak, one line each, to try the audit's teeth on.
// The line is changed in a copy that only the compiler sees (go build -overlay): nothing in the
// tree waits to be switched on. A variant is built without the seal, which would keep most of them
// from leaking; Sealed builds all lines into one program that has it.
package mutants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Mutant is one line that leaks.
type Mutant struct {
	Name   string
	File   string   // of the tree
	Line   string   // as it is there, once, from its first letter to its end
	Put    string   // what stands before it, or in its place if it says so again
	Import string   // what Put needs, with spaces between, if the file does not have it
	Scene  string   // in which it shows
	Also   []Mutant // what has to be changed besides: checks that would stop it
	Seal   bool     // whether the seal stops it: it does not stop tor, which is outside
	Keep   bool     // built with the seal: it leaks through it
	Test   string   // in which it shows instead, where no packet tells: a package and a test
}

// ErrStale means that the tree has changed under a mutant.
var ErrStale = errors.New("the line of the mutant is not in its file, or more than once")

// unseal makes an engine run where it was started, without a guard.
func unseal() Mutant {
	return Mutant{Name: "unsealed", File: "cmd/nightjar/guard.go",
		Line: "lines, err := optionLines(*g.tor.torrc)",
		Put:  "if g.tor.torrc != nil { return false, nil }\n"}
}

// change makes the changed text of a file.
func (m Mutant) change(text string) (string, error) {
	if strings.Count(text, m.Line) != 1 {
		return "", fmt.Errorf("%w: %s", ErrStale, m.Name)
	}
	put := m.Put + m.Line
	if strings.HasPrefix(m.Put, "=") {
		put = m.Put[1:]
	}
	text = strings.Replace(text, m.Line, put, 1)
	for _, pkg := range strings.Fields(m.Import) {
		if !strings.Contains(text, "\t\""+pkg+"\"\n") {
			text = strings.Replace(text, "import (\n", "import (\n\t\""+pkg+"\"\n", 1)
		}
	}
	return text, nil
}

// overlaid writes what the compiler is to see of the tree at root with some lines changed, and
// returns the file that tells it so.
func overlaid(root, dir, name string, all ...Mutant) (string, error) {
	root, err := filepath.Abs(root) // the compiler ignores other names in silence
	if err != nil {
		return "", err
	}
	replace, texts := map[string]string{}, map[string]string{}
	for _, m := range all {
		file := filepath.Join(root, m.File)
		text, ok := texts[file]
		if !ok {
			b, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			text = string(b)
		}
		text, err := m.change(text)
		if err != nil {
			return "", err
		}
		texts[file] = text
	}
	for file, text := range texts {
		replace[file] = filepath.Join(dir, name+"."+strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(replace[file], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	overlay := filepath.Join(dir, name+".json")
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(overlay, b, 0o600)
	}
	return overlay, err
}

// build builds nightjar from the tree at root with some lines changed.
func build(ctx context.Context, root, dir, name string, all ...Mutant) (string, error) {
	overlay, err := overlaid(root, dir, name, all...)
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "nightjar-"+name)
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", bin, "./cmd/nightjar")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	return bin, nil
}

// Build builds one mutant, without the seal, into dir and returns the program.
func (m Mutant) Build(ctx context.Context, root, dir string) (string, error) {
	all := append([]Mutant{m}, m.Also...)
	if !m.Keep {
		all = append(all, unseal())
	}
	return build(ctx, root, dir, m.Name, all...)
}

// Try runs the test in which a mutant shows, and reports whether it failed as it should. A test
// that does not compile, or of which there is none, is an error.
func (m Mutant) Try(ctx context.Context, root, dir string) (failed bool, err error) {
	overlay, err := overlaid(root, dir, m.Name, append([]Mutant{m}, m.Also...)...)
	if err != nil {
		return false, err
	}
	pkg, name, _ := strings.Cut(m.Test, " ")
	cmd := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-count", "1", "-v", "-run",
		"^"+name+"$", pkg)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	switch said := string(out); {
	case strings.Contains(said, "--- FAIL: "+name):
		return true, nil
	case strings.Contains(said, "--- PASS: "+name) && err == nil:
		return false, nil
	}
	return false, fmt.Errorf("try %s: %w: %s", m.Name, err, out)
}

// Clean builds nightjar without the seal, and without any other change.
func Clean(ctx context.Context, root, dir string) (string, error) {
	return build(ctx, root, dir, "clean", unseal())
}

// Sealed builds all mutants that the seal stops into one program, with the seal.
func Sealed(ctx context.Context, root, dir string) (string, error) {
	var all []Mutant
	for _, m := range All() {
		if m.Seal {
			all = append(all, m)
		}
	}
	return build(ctx, root, dir, "sealed", all...)
}
