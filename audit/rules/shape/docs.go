// Package shape holds the rules about how code is written: comments, sizes, names, and
// what no file may do (sleep, skip, keep state in a package, read the environment).
//
// It reads syntax and types that house has loaded. It knows nothing of what the code means.
package shape

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"

	"nightjar/audit/rules/house"
)

// Docs finds packages that do not have exactly one package comment, exported names without
// a comment, and files that do not say what they hold.
func Docs(ps []*house.Package) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		out = append(out, packageComment(p)...)
		for _, f := range p.All() {
			if !saysWhat(p, f.File) {
				out = append(out, p.At(f.Package, "the file does not say what it holds",
					"begin it with one sentence, before or after the package clause"))
			}
			if !f.Test {
				out = append(out, undocumented(p, f)...)
			}
		}
	}
	return out
}

func packageComment(p *house.Package) []house.Finding {
	var with []house.Source
	var last house.Source
	for _, f := range p.All() {
		if f.Test {
			continue
		}
		if last = f; f.Doc != nil && said(f.Doc) {
			with = append(with, f)
		}
	}
	switch {
	case last.File == nil || len(with) == 1:
		return nil
	case len(with) == 0:
		return []house.Finding{p.At(last.Package, "package "+p.Name+" has no package comment",
			"say in one file what it is and what it does not know")}
	}
	var out []house.Finding
	for _, f := range with[1:] {
		out = append(out, p.At(f.Package, "a second package comment, the first is in "+
			with[0].Path, "leave an empty line between the file's sentence and package"))
	}
	return out
}

// said reports whether a comment has words, not only directives or a licence.
func said(group *ast.CommentGroup) bool {
	text := group.Text()
	return strings.TrimSpace(text) != "" && !strings.HasPrefix(text, "Copyright") &&
		!strings.HasPrefix(text, "Code generated")
}

// saysWhat reports whether a comment stands before the first declaration that is not an
// import, on a line of its own, and is not merely that declaration's.
func saysWhat(p *house.Package, f *ast.File) bool {
	var own *ast.CommentGroup
	end := f.FileEnd
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			continue
		}
		own, end = docOf(d), d.Pos()
		break
	}
	for _, group := range f.Comments {
		beside := p.Place(group.Pos()).Line == p.Place(f.Package).Line
		if group != own && group.Pos() < end && !beside && said(group) {
			return true
		}
	}
	return false
}

func docOf(d ast.Decl) *ast.CommentGroup {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc
	case *ast.GenDecl:
		return d.Doc
	}
	return nil
}

func undocumented(p *house.Package, f house.Source) []house.Finding {
	var out []house.Finding
	bare := func(id *ast.Ident, docs ...*ast.CommentGroup) {
		for _, d := range docs {
			if d != nil && said(d) {
				return
			}
		}
		if id.IsExported() {
			out = append(out, p.At(id.Pos(), id.Name+" is exported without a comment",
				"say what it does, in which units, and which errors it returns"))
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || ast.IsExported(receiver(d)) {
				bare(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					bare(s.Name, d.Doc, s.Doc)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						bare(name, d.Doc, s.Doc, s.Comment)
					}
				}
			}
		}
	}
	return out
}

// receiver is the name of the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// unfinished are the words of work that is not done. The last letters stand in brackets so
// that this line does not find itself.
var unfinished = []string{
	`\bTOD[O]\b`, `\bFIXM[E]\b`, `\bXX[X]\b`, `\bHAC[K]\b`, `(?i)\bstubs?\b`,
	`(?i)\bfor now\b`, `(?i)\bnot (yet )?implemented\b`, `(?i)\bunimplemented\b`,
}

// Unfinished finds comments and texts that speak of work not done.
func Unfinished(ps []*house.Package) []house.Finding {
	re := regexp.MustCompile(strings.Join(unfinished, "|"))
	var out []house.Finding
	for _, p := range ps {
		for _, f := range p.All() {
			note := func(pos token.Pos, text string) {
				if word := re.FindString(text); word != "" {
					out = append(out, p.At(pos, "speaks of unfinished work: "+word,
						"finish it, or let it be and say nothing"))
				}
			}
			for _, group := range f.Comments {
				for _, c := range group.List {
					note(c.Pos(), c.Text)
				}
			}
			ast.Inspect(f.File, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING &&
					!p.Under("audit/rules") {
					note(lit.Pos(), lit.Value)
				}
				return true
			})
		}
	}
	return out
}
