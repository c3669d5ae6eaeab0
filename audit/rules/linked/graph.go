// Package linked holds the rules about the finished program: which library can open a
// socket in it, under which licences it stands, which packages are in it that should not
// be, and which names and addresses its bytes contain.
//
// It loads the program with everything it links, which takes some seconds, and builds it
// the way a release is built.
package linked

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/callgraph"
	"golang.org/x/tools/go/callgraph/rta"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// ErrBroken is returned when the program or a library in it does not compile.
var ErrBroken = errors.New("linked: the program does not compile")

// Program is the source of a command and of all that it links.
type Program struct{ pkgs []*packages.Package }

// Load loads the command at path, with every package it links. An error wraps ErrBroken
// and says what the compiler said.
func Load(root, path string) (*Program, error) {
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.LoadAllSyntax | packages.NeedModule, Dir: root,
	}, path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			err = fmt.Errorf("%w: %s", ErrBroken, e)
		}
	})
	if err == nil && (len(pkgs) != 1 || pkgs[0].Name != "main") {
		err = fmt.Errorf("%w: %s is no command", ErrBroken, path)
	}
	return &Program{pkgs}, err
}

// Dialers lists the functions of libraries that call a function of the standard library
// which can open a socket, look up a name or start a program, and that the command can
// reach. Each line is "package: function -> what it calls", sorted, without repeats.
// A line too many is possible (the call graph is an upper bound); none is missing, but for
// what reflection or assembly does.
func (p *Program) Dialers() []string {
	prog, pkgs := ssautil.AllPackages(p.pkgs, ssa.InstantiateGenerics)
	prog.Build()
	var roots []*ssa.Function
	for _, sp := range pkgs {
		roots = append(roots, sp.Func("main"), sp.Func("init"))
	}
	lines := map[string]bool{}
	graph := rta.Analyze(roots, true).CallGraph
	_ = callgraph.GraphVisitEdges(graph, func(e *callgraph.Edge) error {
		if line := edge(e); line != "" {
			lines[line] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(lines))
}

// edge is the line for one call, or empty if it is none of a library to a sink. Closures
// are counted as the function they stand in; as sinks they are left out, since a call
// through any func() would seem to reach each of them.
func edge(e *callgraph.Edge) string {
	if e.Site == nil || !sink(e.Callee.Func) {
		return ""
	}
	from := e.Caller.Func
	for from.Parent() != nil {
		from = from.Parent()
	}
	if from.Pkg == nil || !library(from.Pkg.Pkg.Path()) {
		return ""
	}
	pkg := from.Pkg.Pkg
	line := pkg.Path() + ": " + from.RelString(pkg) + " -> " + e.Callee.Func.String()
	if e.Site.Common().StaticCallee() == nil {
		line += " (dynamic)"
	}
	return line
}

// sinks begin the full names of what opens a socket, asks a resolver or starts a program.
var sinks = []string{
	"net.Dial", "net.Listen", "net.Lookup", "net.Resolve", "net.File", "net.Interface",
	"(*net.Dialer).", "(*net.ListenConfig).", "(*net.Resolver).",
	"syscall.Socket", "syscall.Connect", "syscall.Sendto", "golang.org/x/sys/unix.Socket",
	"golang.org/x/sys/unix.Connect", "golang.org/x/sys/unix.Sendto",
	"crypto/tls.Dial", "crypto/tls.Listen", "(*crypto/tls.Dialer).",
	"net/http.Get", "net/http.Post", "net/http.Head", "net/http.Listen",
	"(*net/http.Client).", "(*net/http.Transport).RoundTrip", "(*net/http.Server).ListenAndServe",
	"net/smtp.", "net/rpc.Dial", "log/syslog.", "plugin.Open",
	"os/exec.Command", "os.StartProcess", "syscall.ForkExec", "syscall.Exec",
}

func sink(f *ssa.Function) bool {
	if f == nil || f.Parent() != nil || f.Pkg == nil && f.Object() == nil {
		return false
	}
	name := f.String()
	return slices.ContainsFunc(sinks, func(s string) bool { return strings.HasPrefix(name, s) })
}

// library reports whether a package belongs neither to the standard library nor to us.
func library(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

// Imports returns, for each package in the program, the packages in it that import it.
func (p *Program) Imports() map[string][]string {
	out := map[string][]string{}
	packages.Visit(p.pkgs, nil, func(q *packages.Package) {
		out[q.PkgPath] = append(out[q.PkgPath], []string{}...)
		for _, to := range q.Imports {
			out[to.PkgPath] = append(out[to.PkgPath], q.PkgPath)
		}
	})
	for _, from := range out {
		slices.Sort(from)
	}
	return out
}
