// This file holds what no code of ours does: wait by the clock, skip a test, run before
// main, keep state in a package, or take settings from the environment.

package shape

import (
	"go/ast"
	"go/types"
	"slices"

	"nightjar/audit/rules/house"
	"nightjar/audit/rules/walls"
)

// refused names functions that nothing may use, with what to do instead.
var refused = []struct {
	pkg, name string
	tests     bool // refused in tests as well
	do        string
}{
	{"time", "Sleep", true, "wait for the event; in tests use testing/synctest"},
	{"testing", "Short", true, "put slow tests into a file tagged e2e"},
	{"testing", "common.Skip", true, "fail, and name the package that is missing"},
	{"testing", "common.Skipf", true, "fail, and name the package that is missing"},
	{"testing", "common.SkipNow", true, "fail, and name the package that is missing"},
	{"testing", "TB.Skip", true, "fail, and name the package that is missing"},
	{"testing", "TB.Skipf", true, "fail, and name the package that is missing"},
	{"testing", "TB.SkipNow", true, "fail, and name the package that is missing"},
	{"os", "Getenv", false, "take it as a flag or a field of the configuration"},
	{"os", "LookupEnv", false, "take it as a flag or a field of the configuration"},
	{"os", "Environ", false, "name each variable that a child process needs"},
	{"os", "ExpandEnv", false, "take it as a flag or a field of the configuration"},
	{"os", "Setenv", false, "hand the value over as an argument"},
	{"syscall", "Getenv", false, "take it as a flag or a field of the configuration"},
	{"syscall", "Environ", false, "name each variable that a child process needs"},
}

// Manners finds uses of the refused functions, by what they are: a renamed import or a
// method value is seen.
func Manners(ps []*house.Package) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		for _, f := range p.Sources() {
			ast.Inspect(f.File, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok || p.TypesInfo.Uses[id] == nil || p.TypesInfo.Uses[id].Pkg() == nil {
					return true
				}
				o := p.TypesInfo.Uses[id]
				for _, r := range refused {
					if r.pkg == o.Pkg().Path() && walls.Name(o) == r.name && (r.tests || !f.Test) {
						out = append(out, p.At(id.Pos(), "use of "+r.pkg+"."+o.Name(), r.do))
					}
				}
				return true
			})
		}
	}
	return out
}

// Inits finds functions that run before main and cannot be asked not to.
func Inits(ps []*house.Package) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		for _, f := range p.All() {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if ok && fn.Recv == nil && fn.Name.Name == "init" {
					out = append(out, p.At(fn.Pos(), "func init",
						"do it where it is needed, from a function with a name"))
				}
			}
		}
	}
	return out
}

// Vars finds package variables that are neither a sentinel error nor a table fixed when
// the program is compiled. A table that anything assigns to is not fixed.
func Vars(ps []*house.Package) []house.Finding {
	changed := assigned(ps)
	var out []house.Finding
	for _, p := range ps {
		for _, f := range p.Sources() {
			if f.Test {
				continue
			}
			for _, spec := range packageVars(f.File) {
				for i, name := range spec.Names {
					what := ""
					switch {
					case name.Name == "_":
					case changed[p.PkgPath+"."+name.Name]:
						what = " is changed while the program runs"
					case !sentinel(p, name) && !(i < len(spec.Values) && fixed(p, spec.Values[i])):
						what = " is neither a sentinel error nor a table of constants"
					}
					if what != "" {
						out = append(out, p.At(name.Pos(), "package variable "+name.Name+what,
							"make it a constant, a field or a function"))
					}
				}
			}
		}
	}
	return out
}

func packageVars(f *ast.File) []*ast.ValueSpec {
	var out []*ast.ValueSpec
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok.String() == "var" {
			for _, s := range g.Specs {
				out = append(out, s.(*ast.ValueSpec))
			}
		}
	}
	return out
}

func sentinel(p *house.Package, name *ast.Ident) bool {
	o := p.TypesInfo.Defs[name]
	return o != nil && types.Identical(o.Type(), types.Universe.Lookup("error").Type())
}

// fixed reports whether an expression is made of constants, functions and types only.
func fixed(p *house.Package, e ast.Expr) bool {
	e = ast.Unparen(e)
	tv := p.TypesInfo.Types[e]
	if tv.Value != nil || tv.IsType() || tv.IsNil() {
		return true
	}
	switch e := e.(type) {
	case *ast.CompositeLit:
		return !slices.ContainsFunc(e.Elts, func(el ast.Expr) bool {
			if kv, ok := el.(*ast.KeyValueExpr); ok {
				_, field := p.TypesInfo.Uses[keyName(kv)].(*types.Var)
				return !fixed(p, kv.Value) || !field && !fixed(p, kv.Key)
			}
			return !fixed(p, el)
		})
	case *ast.UnaryExpr:
		_, literal := e.X.(*ast.CompositeLit)
		return literal && fixed(p, e.X)
	case *ast.CallExpr:
		return p.TypesInfo.Types[e.Fun].IsType() && fixed(p, e.Args[0]) || alphabet(p, e)
	case *ast.Ident:
		_, fn := p.TypesInfo.Uses[e].(*types.Func)
		return fn
	case *ast.SelectorExpr:
		_, fn := p.TypesInfo.Uses[e.Sel].(*types.Func)
		return fn
	}
	return false
}

// alphabet reports whether a call makes an encoding of constants. Its table is filled when
// the program starts, but nothing can change it afterwards.
func alphabet(p *house.Package, call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || p.TypesInfo.Uses[sel.Sel] == nil || p.TypesInfo.Uses[sel.Sel].Pkg() == nil {
		return false
	}
	path := p.TypesInfo.Uses[sel.Sel].Pkg().Path()
	return (path == "encoding/base32" || path == "encoding/base64") &&
		!slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return !fixed(p, a) })
}

func keyName(kv *ast.KeyValueExpr) *ast.Ident {
	id, _ := kv.Key.(*ast.Ident)
	return id
}

// assigned returns every package variable of the tree that code assigns to, changes in
// place or takes the address of.
func assigned(ps []*house.Package) map[string]bool {
	out := map[string]bool{}
	for _, p := range ps {
		mark := func(e ast.Expr) {
			if v, ok := p.TypesInfo.Uses[root(p, e)].(*types.Var); ok && v.Pkg() != nil &&
				v.Parent() == v.Pkg().Scope() {
				out[v.Pkg().Path()+"."+v.Name()] = true
			}
		}
		for _, f := range p.Sources() {
			ast.Inspect(f.File, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					for _, l := range n.Lhs {
						mark(l)
					}
				case *ast.IncDecStmt:
					mark(n.X)
				case *ast.UnaryExpr:
					if n.Op.String() == "&" {
						mark(n.X)
					}
				case *ast.RangeStmt:
					mark(n.Key)
					mark(n.Value)
				}
				return true
			})
		}
	}
	return out
}

// root is the identifier that an assignable expression begins with; for a variable of
// another package, the identifier after the package's name.
func root(p *house.Package, e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				if _, pkg := p.TypesInfo.Uses[id].(*types.PkgName); pkg {
					return x.Sel
				}
			}
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
