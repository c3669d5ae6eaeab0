// This file holds how long a file, a function and a line may be, how many names a package
// may export, and what a test may be called.

package shape

import (
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"nightjar/audit/rules/house"
)

// Limits of the house style.
const (
	FileLines = 400 // lines of a file
	FuncLines = 60  // lines of a function, from its first to its closing brace
	Columns   = 100 // columns of a line, a tab counting four
	Exports   = 25  // exported names of a package, an enumeration counting once
)

// Sizes finds files, functions and lines that are too long. Lines of a test that hold a
// string literal may be longer: vectors and card texts cannot be folded.
func Sizes(ps []*house.Package) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		for _, f := range p.All() {
			if n := p.Fset.File(f.FileStart).LineCount(); n > FileLines {
				out = append(out, p.At(f.Package, fmt.Sprintf("the file has %d lines", n),
					"divide it by what it holds"))
			}
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if n := p.Place(fn.End()).Line - p.Place(fn.Pos()).Line + 1; n > FuncLines {
					out = append(out, p.At(fn.Pos(), fmt.Sprintf("%s has %d lines",
						fn.Name.Name, n), "name the steps and make them functions"))
				}
			}
			out = append(out, wide(p, f)...)
		}
	}
	return out
}

func wide(p *house.Package, f house.Source) []house.Finding {
	src, err := os.ReadFile(filepath.Join(p.Root, f.Path))
	if err != nil {
		return []house.Finding{p.At(f.Package, "the file cannot be read", "try again")}
	}
	quoted := map[int]bool{}
	if f.Test {
		quoted = literals(src)
	}
	var out []house.Finding
	for i, line := range strings.Split(string(src), "\n") {
		n := utf8.RuneCountInString(line) + 3*strings.Count(line, "\t")
		if n > Columns && !quoted[i+1] {
			out = append(out, house.Finding{File: f.Path, Line: i + 1,
				What: fmt.Sprintf("the line has %d columns", n), Do: "fold it"})
		}
	}
	return out
}

// literals returns the lines on which a string literal of the source begins, goes on or ends.
func literals(src []byte) map[int]bool {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	lines := map[int]bool{}
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return lines
		}
		if tok == token.STRING {
			for i := range strings.Count(text, "\n") + 1 {
				lines[file.Line(pos)+i] = true
			}
		}
	}
}

// Exported finds packages that ask a reader to learn too many names. Constants of a type
// that the package declares count with their type.
func Exported(ps []*house.Package) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		if p.Types == nil {
			continue
		}
		count := 0
		for _, name := range p.Types.Scope().Names() {
			o := p.Types.Scope().Lookup(name)
			if o.Exported() && !enumerated(o) && !inTest(p, o) {
				count++
			}
		}
		if count > Exports {
			first := p.Syntax[0].Package
			out = append(out, p.At(first, fmt.Sprintf("package exports %d names", count),
				fmt.Sprintf("keep to %d, or divide it by layer", Exports)))
		}
	}
	return out
}

func enumerated(o types.Object) bool {
	c, ok := o.(*types.Const)
	if !ok {
		return false
	}
	named, ok := c.Type().(*types.Named)
	return ok && named.Obj().Pkg() == o.Pkg()
}

func inTest(p *house.Package, o types.Object) bool {
	return strings.HasSuffix(p.Place(o.Pos()).Filename, "_test.go")
}

// TestNames finds tests whose name is no claim: Test and at least two words.
func TestNames(ps []*house.Package) []house.Finding {
	claim := regexp.MustCompile(`^Test([A-Z][a-z0-9]*|[A-Z]+[0-9]*(_|$)?){2,}`)
	var out []house.Finding
	for _, p := range ps {
		for _, f := range p.All() {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || !f.Test || fn.Recv != nil || fn.Name.Name == "TestMain" ||
					!strings.HasPrefix(fn.Name.Name, "Test") || claim.MatchString(fn.Name.Name) {
					continue
				}
				out = append(out, p.At(fn.Pos(), fn.Name.Name+" is a topic, not a claim",
					"say what is true when it passes, as in TestStrangerHearsNothing"))
			}
		}
	}
	return out
}
