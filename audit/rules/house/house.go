// Package house loads the source of nightjar once, with types, for the rules that read it.
//
// It knows how the tree is divided into rooms and how a finding is written down. It knows
// no rule.
package house

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Module is the module path of the house.
const Module = "nightjar"

// proofs is where the naive variants live: packages that break a rule on purpose.
const proofs = Module + "/audit/testdata/src/"

// ErrEmpty is returned when the patterns match no package.
var ErrEmpty = errors.New("house: no package matches")

// Package is one package of ours with its tests, parsed and type checked.
type Package struct {
	*packages.Package
	Room   string   // path below the module: "onion", "node/meet", "cmd/nightjar"
	Proof  string   // the rule whose proof this is, or empty for a real package
	Root   string   // directory of go.mod
	Unseen []Source // files that build constraints keep from the type checker
}

// Source is one parsed file.
type Source struct {
	*ast.File
	Path string // below the module's directory, with slashes
	Test bool   // a _test.go file
}

// Find returns the directory of go.mod at or above dir.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", os.ErrNotExist
		}
		dir = up
	}
}

// Load parses and type checks the packages that match, each once, in the variant that
// includes its tests; libraries come from export data. Every build tag in tags is set.
func Load(root, tags string, patterns ...string) ([]*Package, error) {
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles |
			packages.NeedImports | packages.NeedTypes | packages.NeedTypesInfo |
			packages.NeedSyntax | packages.NeedModule,
		Dir: root, Tests: true, BuildFlags: []string{"-tags=" + tags},
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("load house: %w", err)
	}
	best := map[string]*packages.Package{}
	for _, p := range all {
		if strings.HasSuffix(p.PkgPath, ".test") {
			continue
		}
		if old := best[p.PkgPath]; old == nil || len(p.Syntax) > len(old.Syntax) {
			best[p.PkgPath] = p
		}
	}
	var out []*Package
	for _, p := range best {
		out = append(out, wrap(root, p))
	}
	if len(out) == 0 {
		return nil, ErrEmpty
	}
	slices.SortFunc(out, func(a, b *Package) int { return cmp.Compare(a.PkgPath, b.PkgPath) })
	return out, nil
}

// wrap names the room of p and parses what its build constraints left out.
func wrap(root string, p *packages.Package) *Package {
	h := &Package{Package: p, Root: root}
	path := p.PkgPath
	if rest, ok := strings.CutPrefix(path, proofs); ok {
		h.Proof, path, _ = strings.Cut(rest, "/")
	} else {
		path = strings.TrimPrefix(strings.TrimPrefix(path, Module), "/")
	}
	h.Room = strings.TrimSuffix(path, "_test")
	for _, name := range p.IgnoredFiles {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		f, err := parser.ParseFile(p.Fset, name, nil, parser.ParseComments)
		if err == nil {
			h.Unseen = append(h.Unseen, h.source(f))
		}
	}
	return h
}

func (p *Package) source(f *ast.File) Source {
	path := p.Place(f.FileStart).Filename
	return Source{File: f, Path: path, Test: strings.HasSuffix(path, "_test.go")}
}

// Sources returns the files the type checker saw; those made by cgo are left out.
func (p *Package) Sources() []Source {
	var out []Source
	for _, f := range p.Syntax {
		if s := p.source(f); !filepath.IsAbs(s.Path) {
			out = append(out, s)
		}
	}
	return out
}

// All returns the files the type checker saw and those it did not.
func (p *Package) All() []Source { return append(p.Sources(), p.Unseen...) }

// Place returns where pos is, its file named from the module's directory.
func (p *Package) Place(pos token.Pos) token.Position {
	at := p.Fset.Position(pos)
	if rel, err := filepath.Rel(p.Root, at.Filename); err == nil && filepath.IsLocal(rel) {
		at.Filename = filepath.ToSlash(rel)
	}
	return at
}

// Under reports whether the room is in that part of the house: Under("onion") holds for
// onion and onion/frame.
func (p *Package) Under(part string) bool { return Within(p.Room, part) }

// Within reports whether path is part, or lies below it.
func Within(path, part string) bool {
	return path == part || strings.HasPrefix(path, part+"/")
}

// Finding is one broken rule at one place.
type Finding struct {
	File string // below the module's directory
	Line int    // 0 when the finding is about a whole file or package
	What string // what is wrong
	Do   string // what to do about it
}

// String is "file:line: what: do".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.What, f.Do)
}

// At makes the finding at pos.
func (p *Package) At(pos token.Pos, what, do string) Finding {
	at := p.Place(pos)
	return Finding{File: at.Filename, Line: at.Line, What: what, Do: do}
}
