// This file loads the house once for all rules, and holds the two questions every rule is
// asked: does the tree keep it, and does it catch the naive variant in testdata.

package audit

import (
	"flag"
	"go/ast"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"nightjar/audit/rules/house"
)

var update = flag.Bool("update", false, "write the golden files anew")

var loaded = sync.OnceValues(func() ([]*house.Package, error) {
	root, err := house.Find(".")
	if err != nil {
		return nil, err
	}
	return house.Load(root, "e2e,bench,teeth", "./...", "./audit/testdata/src/...")
})

// rooms returns the real packages when proof is empty, else those that prove that rule.
func rooms(t *testing.T, proof string) []*house.Package {
	t.Helper()
	all, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	var out []*house.Package
	for _, p := range all {
		if p.Proof == proof {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no package proves the rule %q", proof)
	}
	return out
}

// keeps asks whether the tree keeps a rule, but for what is allowed with a reason.
func keeps(t *testing.T, rule string, found []house.Finding) {
	t.Helper()
	used := map[int]bool{}
	for _, f := range found {
		if !allowed(rule, f, used) {
			t.Error(f)
		}
	}
	for _, e := range unused(rule, used) {
		t.Error(e)
	}
}

// catches asks whether a rule finds exactly what the comments in its naive variants want:
// every finding fits a want on its line, and every want has a finding.
func catches(t *testing.T, rule string, found []house.Finding) {
	t.Helper()
	type line struct {
		file string
		n    int
	}
	got := map[line][]string{}
	for _, f := range found {
		at := line{f.File, f.Line}
		got[at] = append(got[at], f.What)
	}
	for _, p := range rooms(t, rule) {
		for _, f := range p.All() {
			for n, wants := range wanted(t, p, f) {
				at := line{f.Path, n}
				for _, w := range wants {
					if !w.MatchString(strings.Join(got[at], "\n")) {
						t.Errorf("%s:%d: wants %q, found %q", at.file, n, w, got[at])
					}
				}
				if len(wants) > 0 {
					delete(got, at)
				}
			}
		}
	}
	for at, what := range got {
		t.Errorf("%s:%d: wants nothing, found %q", at.file, at.n, what)
	}
}

// wanted returns what the comments of a file want, by line.
func wanted(t *testing.T, p *house.Package, f house.Source) map[int][]*regexp.Regexp {
	out := map[int][]*regexp.Regexp{}
	quoted := regexp.MustCompile(`"[^"]*"`)
	each(f.File, func(c *ast.Comment) {
		_, wants, ok := strings.Cut(c.Text, "// want ")
		if !ok {
			return
		}
		for _, q := range quoted.FindAllString(wants, -1) {
			s, err := strconv.Unquote(q)
			if err != nil {
				t.Fatal(err)
			}
			n := p.Place(c.Pos()).Line
			out[n] = append(out[n], regexp.MustCompile(s))
		}
	})
	return out
}

func each(f *ast.File, do func(*ast.Comment)) {
	for _, group := range f.Comments {
		for _, c := range group.List {
			do(c)
		}
	}
}

func TestTreeCompiles(t *testing.T) {
	for _, p := range rooms(t, "") {
		for _, e := range p.Errors {
			t.Error(e)
		}
	}
}
