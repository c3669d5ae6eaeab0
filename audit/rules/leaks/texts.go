// Package leaks holds the rules about what may be said aloud: in an error, in a log, in a
// constant of the program and in a file of the repository.
//
// It reads syntax and types that house has loaded. What it allows in an error or a log is a
// short list: constants, numbers that are no port, durations, words of a fixed set, and
// errors that do not come raw from something that quotes what it was given. Everything
// else may be an address, an identity, a contact, a key, or the words of a stranger.
package leaks

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"nightjar/audit/rules/house"
	"nightjar/audit/rules/walls"
)

// quoting are packages whose errors repeat what they were given: an address, a line of
// configuration, the bytes of a peer.
var quoting = []string{
	"net", "net/netip", "net/url", "net/http", "net/textproto", "net/mail", "strconv",
	"encoding/json", "crypto/tls", "golang.org/x/net", "github.com/cretz/bine",
	"github.com/anacrolix", "github.com/emiago/sipgo", "github.com/icholy/digest",
	"github.com/pion",
}

// Texts finds arguments of errors, panics and logs that are not on the short list. Errors
// and panics in cmd speak to the user about what the user typed, so there only logs count.
func Texts(ps []*house.Package) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		if p.Under("audit") {
			continue
		}
		for _, f := range p.Sources() {
			if f.Test {
				continue
			}
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				t := texts{p: p, fn: fn, from: origins(p, fn)}
				ast.Inspect(fn.Body, t.visit)
				out = append(out, t.out...)
			}
		}
	}
	return out
}

type texts struct {
	p    *house.Package
	fn   *ast.FuncDecl
	from map[types.Object][]taken
	out  []house.Finding
}

func (t *texts) visit(n ast.Node) bool {
	if r, ok := n.(*ast.ReturnStmt); ok {
		t.returns(r)
	}
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return true
	}
	kind := t.speaks(call)
	if kind == "" || kind != "log" && t.p.Under("cmd") {
		return true
	}
	for _, a := range call.Args {
		if why := t.wrong(a); why != "" {
			t.out = append(t.out, t.p.At(a.Pos(), kind+" text holds "+why,
				"use a constant or a sentinel, and strip what quotes its input"))
		}
	}
	return true
}

// returns finds errors handed on raw. Those of a net.Conn or a net.Listener may pass: who
// wraps one must pass them on, and onion, which makes them, strips them.
func (t *texts) returns(r *ast.ReturnStmt) {
	for _, e := range r.Results {
		tv := t.p.TypesInfo.Types[e]
		if t.p.Under("cmd") || tv.Type == nil || !types.Identical(tv.Type, errorType()) {
			continue
		}
		why := t.quotes(e)
		if why != "" && !strings.Contains(strings.TrimPrefix(why, "the raw error of net."), ".") {
			t.out = append(t.out, t.p.At(e.Pos(), "returns "+why,
				"return a sentinel, or an error that does not repeat what it was given"))
		}
	}
}

// speaks says what a call makes of its arguments: "error", "panic", "log" or nothing.
func (t *texts) speaks(call *ast.CallExpr) string {
	o := callee(t.p, call)
	if o == nil {
		return ""
	}
	if o.Pkg() == nil {
		if o.Name() == "panic" {
			return "panic"
		}
		return ""
	}
	switch path, name := o.Pkg().Path(), walls.Name(o); {
	case path == "errors" && name == "New", path == "fmt" && name == "Errorf":
		return "error"
	case path == "fmt" && strings.HasPrefix(name, "Sprint") && t.fn.Name.Name == "Error":
		return "error"
	case (path == "log" || path == "log/slog") && !strings.HasPrefix(name, "New"):
		return "log"
	}
	return ""
}

// callee is the function, method or builtin that a call calls, or nil.
func callee(p *house.Package, call *ast.CallExpr) types.Object {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return p.TypesInfo.Uses[fun]
	case *ast.SelectorExpr:
		return p.TypesInfo.Uses[fun.Sel]
	}
	return nil
}

// wrong says why an argument must not be in a text, or nothing.
func (t *texts) wrong(a ast.Expr) string {
	tv := t.p.TypesInfo.Types[a]
	if tv.Value != nil || tv.IsNil() || tv.Type == nil {
		return ""
	}
	switch e := ast.Unparen(a).(type) {
	case *ast.BinaryExpr:
		return cmp.Or(t.wrong(e.X), t.wrong(e.Y))
	case *ast.CallExpr:
		if inner, ok := t.passes(e); ok {
			for _, i := range inner {
				if why := t.wrong(i); why != "" {
					return why
				}
			}
			return ""
		}
	}
	if types.AssignableTo(tv.Type, errorType()) {
		return t.quotes(a)
	}
	return forbidden(tv.Type, a)
}

// passes reports whether a call only makes a text of other values, and of which: one of fmt
// or slog of its arguments, the Error method of its error.
func (t *texts) passes(call *ast.CallExpr) ([]ast.Expr, bool) {
	o := callee(t.p, call)
	if o == nil {
		return nil, false
	}
	if sel, ok := call.Fun.(*ast.SelectorExpr); ok && o.Name() == "Error" &&
		types.AssignableTo(t.p.TypesInfo.TypeOf(sel.X), errorType()) {
		return []ast.Expr{sel.X}, true
	}
	if o.Pkg() == nil {
		return nil, false
	}
	if recv := o.Type().(*types.Signature).Recv(); recv != nil && enumeration(recv.Type()) {
		return nil, true // the name of a word of a fixed set
	}
	return call.Args, o.Pkg().Path() == "log/slog" || o.Pkg().Path() == "fmt"
}

// quotes says from where an error comes that repeats its input, or nothing.
func (t *texts) quotes(a ast.Expr) string {
	switch e := ast.Unparen(a).(type) {
	case *ast.Ident:
		from := ""
		for _, v := range t.from[t.p.TypesInfo.Uses[e]] {
			if v.at <= e.Pos() {
				from = v.from
			}
		}
		if from != "" {
			return "the raw error of " + from
		}
	case *ast.CallExpr:
		if from := source(t.p, e); from != "" {
			return "the raw error of " + from
		}
	}
	return ""
}

func errorType() types.Type { return types.Universe.Lookup("error").Type() }

// forbidden says why a value of that type must not be in a text, or nothing.
func forbidden(t types.Type, a ast.Expr) string {
	name := types.TypeString(t, func(p *types.Package) string { return p.Name() })
	basic, ok := t.Underlying().(*types.Basic)
	switch {
	case !ok:
		return "a value of type " + name
	case basic.Info()&types.IsString != 0 && !enumeration(t):
		return "a " + name + " that is not constant"
	case basic.Info()&types.IsNumeric != 0 && strings.Contains(strings.ToLower(last(a)), "port"):
		return "a port"
	}
	return ""
}

// enumeration reports whether a named type comes with constants of its own: words of a
// fixed set.
func enumeration(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	scope := named.Obj().Pkg().Scope()
	return slices.ContainsFunc(scope.Names(), func(name string) bool {
		c, ok := scope.Lookup(name).(*types.Const)
		return ok && types.Identical(c.Type(), t)
	})
}

// last is the last name of an expression: Port in s.Remote.Port.
func last(a ast.Expr) string {
	switch e := ast.Unparen(a).(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		return last(e.Fun)
	}
	return ""
}

// taken is one place where an error variable takes its value: from a quoting call, or from
// something else when from is empty.
type taken struct {
	at   token.Pos
	from string
}

// origins lists for each error variable of fn, in the order of the text, where it takes its
// values from.
func origins(p *house.Package, fn *ast.FuncDecl) map[types.Object][]taken {
	out := map[types.Object][]taken{}
	note := func(to, value ast.Expr) {
		name, ok := to.(*ast.Ident)
		if !ok {
			return
		}
		o := p.TypesInfo.ObjectOf(name)
		if o == nil || !types.AssignableTo(o.Type(), errorType()) {
			return
		}
		from := ""
		if call, ok := ast.Unparen(value).(*ast.CallExpr); ok {
			from = source(p, call)
		}
		out[o] = append(out[o], taken{value.End(), from})
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				note(l, n.Rhs[min(i, len(n.Rhs)-1)])
			}
		case *ast.ValueSpec:
			for i, l := range n.Names {
				if len(n.Values) > 0 {
					note(l, n.Values[min(i, len(n.Values)-1)])
				}
			}
		}
		return true
	})
	return out
}

// source names the quoting function or method that a call calls, or nothing. Calls through
// a net.Conn or a net.Listener count: what lies behind them names both ends in its errors.
func source(p *house.Package, call *ast.CallExpr) string {
	o := callee(p, call)
	if o == nil || o.Pkg() == nil {
		return ""
	}
	if _, ok := o.(*types.Func); !ok {
		return ""
	}
	path := o.Pkg().Path()
	if path == "net" && slices.Contains([]string{"Pipe", "ParseMAC"}, o.Name()) {
		return ""
	}
	in := func(q string) bool {
		return path == q || strings.Contains(q, ".") && house.Within(path, q)
	}
	if slices.ContainsFunc(quoting, in) {
		return path + "." + walls.Name(o)
	}
	return ""
}

// Prints finds output that goes past the commands: fmt.Print, the builtin print, the log
// package, and os.Stdout or os.Stderr, outside cmd and the tools of audit.
func Prints(ps []*house.Package) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		if p.Under("cmd") || p.Under("audit") {
			continue
		}
		for _, f := range p.Sources() {
			ast.Inspect(f.File, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && !f.Test && prints(p.TypesInfo.Uses[id]) {
					out = append(out, p.At(id.Pos(), "use of "+id.Name,
						"return an error or an event; only cmd speaks to the user"))
				}
				return true
			})
		}
	}
	return out
}

func prints(o types.Object) bool {
	if b, ok := o.(*types.Builtin); ok {
		return b.Name() == "print" || b.Name() == "println"
	}
	if o == nil || o.Pkg() == nil {
		return false
	}
	switch name := walls.Name(o); o.Pkg().Path() {
	case "fmt":
		return strings.HasPrefix(name, "Print")
	case "log":
		return token.IsExported(name) && name != "Logger" && name != "New"
	case "os":
		return name == "Stdout" || name == "Stderr"
	}
	return false
}
