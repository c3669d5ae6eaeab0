// This file holds who may open a socket, look up a name or start a program.

package walls

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"net/netip"
	"path"
	"slices"
	"strings"

	"nightjar/audit/rules/house"
)

// sinks names what reaches outside the process, by package: functions, types and variables
// as path.Match patterns, methods as Type.Method.
var sinks = map[string][]string{
	"net": {"Dial*", "Listen[A-Z]*", "Listen", "ListenConfig.*", "Lookup*", "Resolve[A-Z]*",
		"Resolver*", "DefaultResolver", "File*", "Interface*"},
	"net/http": {"Client*", "Transport*", "Default*", "Get", "Post*", "Head", "ListenAndServe*",
		"Server.ListenAndServe*", "Proxy*"},
	"crypto/tls": {"Dial*", "Listen", "QUIC*"},
	"os":         {"StartProcess"},
	"os/exec":    {"*"},
	"plugin":     {"*"},
	"net/rpc":    {"*"},
	"net/smtp":   {"*"},
	"log/syslog": {"*"},
	"syscall": {"Socket*", "Connect", "Bind", "Send*", "Accept*", "Listen", "Syscall*",
		"RawSyscall*", "ForkExec", "Exec", "StartProcess"},
	"golang.org/x/sys/unix": {"Socket*", "Connect", "Bind", "Send*", "Accept*", "Listen",
		"Syscall*", "RawSyscall*", "Exec", "IoUring*"},
	"golang.org/x/net/proxy":         {"*"},
	"golang.org/x/net/websocket":     {"Dial*"},
	"golang.org/x/net/icmp":          {"*"},
	"github.com/emiago/sipgo":        {"Server.ListenAndServe*"},
	"github.com/anacrolix/dht/v2":    {"ResolveHostPorts", "*Bootstrap*", "NewDefaultServerConfig"},
	"github.com/cretz/bine/torutil*": {"Dial*"},
}

// Grant lets one place use some sinks.
type Grant struct {
	Room  string // and its subrooms
	File  string // the one file, or empty for all of the room
	Pkg   string
	Names []string
	Only  func(u Use) bool // nil, or what a use must also be
	Why   string
}

// Use is one mention of a sink.
type Use struct {
	Pkg, Name string
	Call      *ast.CallExpr // the call it is the function of, or nil for a bare value
	File      house.Source
	Types     *types.Info
}

// Sockets finds every mention of a sink by what it is, not by how it is spelled: function
// values, method values, embedded dialers and methods promoted from them are all seen.
// In tests and in the tools of audit, sockets are let be if no constant address in them
// lies outside loopback.
func Sockets(ps []*house.Package, grants []Grant) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		for _, f := range p.Sources() {
			uses(p, f, func(id *ast.Ident, u Use) {
				switch {
				case f.Test || p.Under("audit"):
					if why := beyondLoopback(u); why != "" {
						out = append(out, p.At(id.Pos(), u.Pkg+"."+u.Name+" "+why,
							"tests stay on loopback, with literal addresses"))
					}
				case !granted(p, u, grants):
					out = append(out, p.At(id.Pos(), p.Room+" uses "+u.Pkg+"."+u.Name,
						"ask an onion.Path for the connection, or be given it"))
				}
			})
		}
		out = append(out, unseen(p, grants)...)
	}
	return out
}

// uses calls do for each mention of a sink in f.
func uses(p *house.Package, f house.Source, do func(*ast.Ident, Use)) {
	calls := map[*ast.Ident]*ast.CallExpr{}
	ast.Inspect(f.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch fun := ast.Unparen(n.Fun).(type) {
			case *ast.SelectorExpr:
				calls[fun.Sel] = n
			case *ast.Ident:
				calls[fun] = n
			}
		case *ast.Ident:
			o := p.TypesInfo.Uses[n]
			if v, ok := o.(*types.Var); o == nil || o.Pkg() == nil || ok && v.IsField() {
				return true
			}
			u := Use{o.Pkg().Path(), Name(o), calls[n], f, p.TypesInfo}
			if sink(u) {
				do(n, u)
			}
		}
		return true
	})
}

func sink(u Use) bool {
	for pkg, names := range sinks {
		if match(pkg, u.Pkg) && matchAny(names, u.Name) {
			return true
		}
	}
	return false
}

// Name is how the tables name an object: Dial, Dialer, Dialer.DialContext.
func Name(o types.Object) string {
	f, ok := o.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return o.Name()
	}
	t := types.Unalias(f.Signature().Recv().Type())
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return named.Obj().Name() + "." + f.Name()
	}
	return "interface." + f.Name()
}

func granted(p *house.Package, u Use, grants []Grant) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool {
		return p.Under(g.Room) && (g.File == "" || g.File == path.Base(u.File.Path)) &&
			g.Pkg == u.Pkg && matchAny(g.Names, u.Name) && (g.Only == nil || g.Only(u))
	})
}

func match(pattern, s string) bool {
	ok, err := path.Match(pattern, s)
	return ok && err == nil
}

func matchAny(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, s) })
}

// OnUnix reports whether a use is a direct call whose network is the constant "unix", or
// the mention of a type that can do nothing until such a call.
func OnUnix(u Use) bool {
	switch u.Name {
	case "Dialer", "ListenConfig":
		return true
	}
	return u.Call != nil && slices.ContainsFunc(words(u), func(s string) bool {
		return s == "unix" || s == "unixpacket"
	})
}

// ChecksLoopback reports whether the file that holds the use asks IsLoopback.
func ChecksLoopback(u Use) bool {
	asks := false
	ast.Inspect(u.File.File, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		asks = asks || ok && id.Name == "IsLoopback"
		return !asks
	})
	return asks
}

// words returns the constant strings among the arguments of the call.
func words(u Use) []string {
	if u.Call == nil {
		return nil
	}
	var out []string
	for _, a := range u.Call.Args {
		if v := u.Types.Types[a].Value; v != nil && v.Kind() == constant.String {
			out = append(out, constant.StringVal(v))
		}
	}
	return out
}

// beyondLoopback says what makes a socket in a test reach outside, or nothing.
func beyondLoopback(u Use) string {
	if u.Pkg != "net" && u.Pkg != "crypto/tls" {
		return ""
	}
	if strings.HasPrefix(u.Name, "Lookup") {
		return "asks a resolver"
	}
	said := words(u)
	if len(said) < 2 || strings.HasPrefix(said[0], "unix") {
		return ""
	}
	host := said[1]
	if i := strings.LastIndex(host, ":"); i >= 0 {
		host = strings.Trim(host[:i], "[]")
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
		return ""
	}
	return fmt.Sprintf("of %q is not on loopback", said[1])
}

// unseen finds sinks in files that the type checker did not see, because they are built
// for another system. There it goes by the written name; the rule on names sees to it that
// nothing dangerous has another.
func unseen(p *house.Package, grants []Grant) []house.Finding {
	var out []house.Finding
	for _, f := range p.Unseen {
		if f.Test || p.Under("audit") {
			continue
		}
		pkgs := map[string]string{}
		for _, spec := range f.Imports {
			to := strings.Trim(spec.Path.Value, `"`)
			pkgs[path.Base(to)] = to
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && pkgs[id.Name] != "" {
				u := Use{Pkg: pkgs[id.Name], Name: sel.Sel.Name, File: f}
				if sink(u) && !granted(p, u, grants) {
					out = append(out, p.At(id.Pos(), p.Room+" uses "+u.Pkg+"."+u.Name+
						" on another system", "ask an onion.Path for it, or be given it"))
				}
			}
			return true
		})
	}
	return out
}
